"""Whether the case of an earlier run can be used again."""

from collections.abc import Sequence
from pathlib import Path

from radgs_core.case import Case
from radgs_core.preparation import provenance
from radgs_core.registration.pipeline import InputError


def is_prepared_from(folder: Path, ct: Path, labels: Path, levels: Sequence[str]) -> bool:
    """Whether ``folder`` holds a case of these files and levels that the installed versions prepared."""
    try:
        case = Case.load(folder)
    except InputError:
        return False
    # of the parameters the levels alone: the label scheme follows from the label map
    expected = provenance({"ct": ct, "labels": labels}, {})
    same = all(case.provenance.get(part) == expected[part] for part in ("inputs", "versions"))
    return same and list(case.levels) == list(levels)
