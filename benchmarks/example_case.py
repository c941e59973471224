"""The cases that benchmarks share: levels of the example CT, prepared anew when anything behind them changes."""

import dataclasses
import hashlib

from benchmarks.report import FOLDER, ROOT
from radgs_core.case import Case
from radgs_core.commands.prepare import prepared
from radgs_core.commands.progress import shown_progress
from radgs_core.errors import InputError
from radgs_core.io.example import example_ct
from radgs_core.preparation import provenance

REPORTED_LEVELS = ["T9", "T10", "T11", "T12", "L1"]
"""Nothing is ever tuned on them."""
SCHEME = "totalsegmentator"
PREPARING = (
    "case*.py",
    "volume.py",
    "io/*.py",
    "preparation/*.py",
    "kernels/*.h",
    "radgs/*.py",
    "radgs/fitting/*.py",
    "xray/attenuation.py",
    "xray/raycast.py",
)
"""Parts of radgs_core that decide what a case holds; its version stays the same while it is worked on."""


def example_case(levels: list[str]) -> Case:
    """The case kept in build/bench, if this CT, these packages and this code made it; else it is prepared there."""
    folder = FOLDER / f"case_{'_'.join(levels)}"
    ct, labels = example_ct()
    origin = {
        **provenance({"ct": ct, "labels": labels}, {"levels": levels, "label_scheme": SCHEME}),
        "sources": _sha256_of_sources(),
    }
    try:
        case = Case.load(folder)
        if case.provenance == origin:
            return case
    except InputError:
        pass  # none there, or of another schema
    with shown_progress(f"preparing {', '.join(levels)}") as progress:
        case = dataclasses.replace(prepared(ct, labels, levels, SCHEME, progress), provenance=origin)
        case.save(folder)
    return case


def _sha256_of_sources() -> str:
    digest = hashlib.sha256()
    for pattern in PREPARING:
        for source in sorted((ROOT / "radgs_core").glob(pattern)):
            digest.update(source.read_bytes())
    return digest.hexdigest()
