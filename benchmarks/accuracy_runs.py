"""Runs a system over varied studies."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.example_case import REPORTED_LEVELS
from benchmarks.studies import part
from benchmarks.varied_studies import VariedStudies, VariedStudy
from radgs_core.case import Case
from radgs_core.evaluation import BIN_EDGES_MM, StudyRecord, System, Trial, evaluate, recorded
from radgs_core.io import LevelPose, Poses
from radgs_core.progress import Progress


@dataclass(frozen=True)
class Seeds:
    """The first one of studies, and of starts of the capture range."""

    studies: int
    capture: int


def seeds_of(levels: Sequence[str]) -> Seeds:
    """What is tuned, on other levels, is tuned on other studies, too; those of other benchmarks are others again."""
    return Seeds(2000, 3000) if list(levels) == REPORTED_LEVELS else Seeds(100, 500)


def taken_studies(studies: VariedStudies, count: int, progress: Progress) -> list[VariedStudy]:
    """The first ``count`` studies; every system is given the same ones."""
    taken = []
    for number in range(count):
        progress(number / count, f"study {number + 1} of {count}")
        taken.append(studies.taken(seeds_of(list(studies.case.levels)).studies + number))
    return taken


def measured(
    case: Case, system: System, studies: Sequence[VariedStudy], name: str, progress: Progress
) -> list[StudyRecord]:
    """One record a study."""
    records = []
    for number, each in enumerate(studies):
        progress(number / len(studies), f"seed {each.seed}")
        records.append(registered(case, system, each))
        print(f"{name}, seed {each.seed}: {_line(records[-1])}", flush=True)
    return records


def warm_up(system: System, each: VariedStudy) -> None:
    """Have done what is done once a process: it is not a registration's time."""
    system.register(each.study.images, each.study.geometry, each.start)


def registered(case: Case, system: System, each: VariedStudy) -> StudyRecord:
    """Register one study and compare with its truth."""
    study = each.study
    result = system.register(study.images, study.geometry, each.start)
    return recorded(case, each.seed, result, study.truth, study.geometry, each.visible)


def capture_trials(studies: VariedStudies, system: System, starts_a_bin: int, progress: Progress) -> list[Trial]:
    """How visible levels end, by the TRE of their start.

    For each bin ``starts_a_bin`` studies are made whose mean initial TRE falls into it; each level counts in the bin of
    its own.
    """
    runs = list(itertools.product(itertools.pairwise(BIN_EDGES_MM), range(starts_a_bin)))
    first = seeds_of(list(studies.case.levels)).capture
    trials = []
    for number, (edges, _) in enumerate(runs):
        share = part(progress, number, len(runs), "capture range")
        share(0.0, f"{edges[0]:g} to {edges[1]:g} mm")
        each = studies.taken_between(first + number, *edges)
        ended = registered(studies.case, system, each)
        start = Poses(each.study.truth.reference, {label: LevelPose(each.start) for label in each.study.truth.levels})
        begun = evaluate(studies.case, start, each.study.truth)
        trials += [
            Trial(each.seed, before.tre_mm, after.error)
            for before, after in zip(begun, ended.levels, strict=True)
            if after.visible
        ]
    return trials


def _line(record: StudyRecord) -> str:
    levels = []
    for level in record.levels:
        notes = ("rejected",) * (level.error.status == "rejected") + ("not visible",) * (not level.visible)
        levels.append(f"{level.error.label} {level.error.tre_mm:.2f}" + (f" ({', '.join(notes)})" if notes else ""))
    return f"TRE {', '.join(levels)} mm, {record.seconds:.2f} s"
