"""Cases of many patients, prepared once and kept in a folder."""

import json
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

from radgs_core.case import Case
from radgs_core.errors import InputError
from radgs_core.io.atomic import written_atomically
from radgs_core.preparation import prepare_case, provenance
from radgs_core.progress import Progress
from radgs_core.training.level_runs import level_runs
from radgs_core.training.patient_layouts import PatientFiles
from radgs_core.training.patients import find_patients, read_patient, split
from radgs_core.training.processes import Process

RECORD = "patient.json"
SCHEMA_VERSION = 1
DIGITS = 16
"""Of the hash of a patient's files in the name of the folder that is kept."""
POLL_S = 0.5

_log = logging.getLogger(__name__)


class KeptCases(Sequence[Case]):
    """Cases in folders; each is read when it is asked for, since all together may not fit into memory.

    Args:
        paths: of the cases.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = list(paths)

    @overload
    def __getitem__(self, index: int) -> Case: ...
    @overload
    def __getitem__(self, index: slice) -> "KeptCases": ...
    def __getitem__(self, index: int | slice) -> "Case | KeptCases":
        return KeptCases(self._paths[index]) if isinstance(index, slice) else Case.load(self._paths[index])

    def __len__(self) -> int:
        return len(self._paths)


@dataclass(frozen=True)
class PriorCases:
    """Cases to train on and to validate with; no patient is in both."""

    training: KeptCases
    validation: KeptCases


def prior_cases(
    data: Path, folder: Path, validation_share: float, seed: int, process: Process, progress: Progress
) -> PriorCases:
    """Cases of all patients below a folder.

    Of every patient, the levels that lie wholly in the CT are divided into cases (`level_runs`). What ``folder`` holds
    already of the same files, prepared by the same versions, is used again. Several processes share the work.

    Args:
        data: labelled CTs, as `find_patients` takes them.
        folder: where cases are kept, one folder a patient; on several machines, one that all of them see.
        validation_share, seed: see `split`; patients of whom nothing can be used are left out before.
        process: this one.
        progress: called with a fraction and a message.

    Raises:
        InputError: no patient, or only one, can be used; ``folder`` cannot be written.
    """
    scans = find_patients(data)
    own = scans[process.rank :: process.count]
    kept: dict[Path, _Patient] = {}
    for number, scan in enumerate(own):
        kept[scan.ct] = _Patient.of(scan, folder)

        def part(fraction: float, message: str, number: int = number) -> None:
            progress((number + fraction) / len(own), f"patient {number + 1} of {len(own)}: {message}")

        kept[scan.ct].prepare(part)
    usable = {}
    for scan in scans:
        patient = kept[scan.ct] if scan.ct in kept else _Patient.of(scan, folder)
        record = patient.awaited()
        if record.reason:
            _log.warning("%s is left out: %s", scan.ct, record.reason)
        else:
            usable[scan] = [patient.folder / name for name in record.cases]
    if not usable:
        raise InputError(f"of {len(scans)} patients below {data} none can be used; the warnings say why of each.")
    if len({scan.patient for scan in usable}) < 2:
        raise InputError(
            f"only one patient below {data} can be used, but training and validation need one each; add patients."
        )
    divided = split(list(usable), validation_share, seed)
    return PriorCases(
        *(
            KeptCases([path for scan in side for path in usable[scan]])
            for side in (divided.training, divided.validation)
        )
    )


@dataclass(frozen=True)
class _Record:
    """What came of a patient: names of case folders, or why there are none."""

    cases: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class _Patient:
    """A scan and the folder in which its cases are kept.

    Attributes:
        scan: the files.
        folder: named after their hash.
        origin: where the cases come from.
    """

    scan: PatientFiles
    folder: Path
    origin: Mapping[str, Any]

    @classmethod
    def of(cls, scan: PatientFiles, folder: Path) -> "_Patient":
        origin = provenance({"ct": scan.ct, "labels": scan.labels}, {"label_scheme": scan.scheme})
        digests = [origin["inputs"][role]["sha256"][: DIGITS // 2] for role in ("ct", "labels")]
        return cls(scan, folder / "".join(digests), origin)

    def prepare(self, progress: Progress) -> None:
        """Make what is not there yet."""
        if self._record() is not None:
            return
        try:
            cases = self._prepared(progress)
            record = {"cases": cases, "reason": "" if cases else "no vertebra lies wholly in the CT."}
        except InputError as error:
            record = {"cases": [], "reason": str(error)}
        content = {"schema_version": SCHEMA_VERSION, "origin": self._kind(), **record}
        with written_atomically(self.folder / RECORD) as path:
            path.write_text(json.dumps(content, indent=2) + "\n")

    def awaited(self) -> _Record:
        """What came of it, once the process that prepares it has done so."""
        while (record := self._record()) is None:
            time.sleep(POLL_S)
        return record

    def _prepared(self, progress: Progress) -> list[str]:
        ct, labels = read_patient(self.scan)
        runs = level_runs(labels)
        names = []
        for number, levels in enumerate(runs):

            def part(fraction: float, message: str, number: int = number) -> None:
                progress((number + fraction) / len(runs), message)

            name = f"{levels[0]}_{levels[-1]}"
            parameters = {**self.origin["parameters"], "levels": list(levels)}
            case = prepare_case(ct, labels, levels, part, {**self.origin, "parameters": parameters})
            case.save(self.folder / name)
            names.append(name)
        return names

    def _kind(self) -> dict[str, Any]:
        """What decides how the cases are: hashes, numbering and versions, but no names."""
        hashes = {role: source["sha256"] for role, source in self.origin["inputs"].items()}
        return {"sha256": hashes, "parameters": self.origin["parameters"], "versions": self.origin["versions"]}

    def _record(self) -> _Record | None:
        """None where there is none yet, or one of something else."""
        try:
            content = json.loads((self.folder / RECORD).read_text())
            if content["schema_version"] != SCHEMA_VERSION or content["origin"] != self._kind():
                return None
            return _Record(tuple(content["cases"]), content["reason"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
