"""From how far off the refinement alone still succeeds, on levels of the example CT with realistic physics.

A study bends the spine by about 3 mm and 3 degrees a level and draws its own settings of the physics. Its start is one
pose for all levels: a rigid offset of the whole spine about its centre, drawn so that the initial TRE, mean over the
levels, falls uniformly into the bin the study is made for (see ``start_between``). Levels then start better or worse
than that mean, by their own motion and by their place along the spine; each counts in the bin of its own initial TRE,
so a bin also holds levels of studies made for its neighbours. A bin counts only with levels of as many studies as
were made for it.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch is imported, see radgs_core.cli
os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import itertools

import numpy as np
from numpy.typing import NDArray

from benchmarks.capture_table import bin_rows, capture_table, start_rows
from benchmarks.example_case import REPORTED_LEVELS, example_case
from benchmarks.report import report
from benchmarks.studies import OperatingRoom, part, report_name
from radgs_core.commands.output import print_table
from radgs_core.commands.progress import shown_progress
from radgs_core.evaluation import BIN_EDGES_MM, Trial, capture_bins, capture_range_mm, evaluate, start_between
from radgs_core.io import LevelPose, Poses
from radgs_core.progress import Progress
from radgs_core.xray import Study

PHYSICS = "realistic"
STARTS_A_BIN = 20
FIRST_SEED = 1000
"""Other studies than those of `benchmarks.refine`, and than those that anything was tuned on."""


def main() -> None:
    """Run, print the table, and report."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.capture_range", description=__doc__)
    parser.add_argument("--starts", type=int, default=STARTS_A_BIN, metavar="N", help="studies a bin (default: 20)")
    parser.add_argument("--levels", nargs="+", default=REPORTED_LEVELS, metavar="L", help="(default: T9 .. L1)")
    arguments = parser.parse_args()
    case = example_case(arguments.levels)
    with shown_progress("ray casting the body"):
        room = OperatingRoom(case)
    measured_capture_range_mm(room, arguments.starts)


def measured_capture_range_mm(room: OperatingRoom, starts_a_bin: int) -> float:
    """Register ``starts_a_bin`` studies for each bin, print and report how they ended; returns the capture range."""
    trials = _trials(room, starts_a_bin)
    bins = capture_bins(trials)
    reached = capture_range_mm(bins, starts_a_bin)
    print_table(capture_table(bins, f"Capture range {reached:g} mm: {PHYSICS}, {starts_a_bin} studies for each bin"))
    figures = {
        "capture_range_mm": reached,
        "starts_a_bin": starts_a_bin,
        "levels_beyond_bins": len(trials) - sum(each.levels for each in bins),
    }
    tables = {"bins": bin_rows(bins), "starts": start_rows(trials)}
    left_out = max(0, STARTS_A_BIN - starts_a_bin) * len(bins)
    report(report_name("capture", list(room.case.levels), left_out), figures, tables)
    return reached


def _trials(room: OperatingRoom, starts_a_bin: int) -> list[Trial]:
    runs = list(itertools.product(itertools.pairwise(BIN_EDGES_MM), range(starts_a_bin)))
    trials = []
    with shown_progress("capture range") as progress:
        for number, (edges, _) in enumerate(runs):
            share = part(progress, number, len(runs), f"{edges[0]:g} to {edges[1]:g} mm")
            trials += _registered(room, edges, FIRST_SEED + number, share)
    return trials


def _registered(room: OperatingRoom, edges_mm: tuple[float, float], seed: int, progress: Progress) -> list[Trial]:
    """The levels of one study."""
    study = room.study(PHYSICS, seed)
    truth = {label: level.T_reference_ct for label, level in study.truth.levels.items()}
    start = start_between(room.case, room.T_reference_ct, truth, *edges_mm, np.random.default_rng([seed, 2]))
    ends = room.registered(study, start, progress).errors
    starts = evaluate(room.case, _common(study, start), study.truth)
    return [Trial(seed, begun.tre_mm, ended) for begun, ended in zip(starts, ends, strict=True)]


def _common(study: Study, pose: NDArray[np.float64]) -> Poses:
    """All levels of a study at one pose."""
    return Poses(study.truth.reference, {label: LevelPose(pose) for label in study.truth.levels})


if __name__ == "__main__":
    main()
