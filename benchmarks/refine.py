"""Accuracy of the refinement from a start that is 8 mm and 8 degrees wrong, over seeds, on levels of the example CT.

Each seed bends the spine by about 3 mm and 3 degrees a level, draws its own settings for the realistic physics, and its
own start. The body stays where it is, so it is ray cast once.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch is imported, see radgs_core.cli
os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import itertools
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.example_case import REPORTED_LEVELS, example_case
from benchmarks.report import report
from radgs_core.case import Case
from radgs_core.commands.output import print_table
from radgs_core.commands.progress import shown_progress
from radgs_core.commands.register import poses_of
from radgs_core.evaluation import LevelError, Summary, evaluate, summarise, wrong_start
from radgs_core.evaluation.tables import summary_table
from radgs_core.progress import Progress
from radgs_core.registration.pipeline import register
from radgs_core.xray import CArm, Physics, Simulator, biplanar_geometry, body_pose, take_study

PHYSICS = ("plain", "realistic")
MOTION_MM, MOTION_DEG = 3.0, 3.0
START_MM, START_DEG = 8.0, 8.0


@dataclass(frozen=True)
class Outcome:
    """One registration of all levels."""

    errors: Sequence[LevelError]
    seconds: float


def main() -> None:
    """Run, print a table, and report."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.refine", description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(10)), metavar="N", help="(default: 0 .. 9)")
    parser.add_argument("--levels", nargs="+", default=REPORTED_LEVELS, metavar="L", help="(default: T9 .. L1)")
    arguments = parser.parse_args()
    seeds: list[int] = arguments.seeds
    levels: list[str] = arguments.levels
    case = example_case(levels)
    with shown_progress("ray casting the body"):
        room = Simulator(case, biplanar_geometry(CArm()), body_pose(case, levels))
    outcomes: dict[str, list[Outcome]] = {name: [] for name in PHYSICS}
    runs = list(itertools.product(PHYSICS, seeds))
    with shown_progress("refine") as progress:
        for number, (name, seed) in enumerate(runs):
            outcome = _outcome(case, room, name, seed, _part(progress, number, len(runs), f"{name}, seed {seed}"))
            outcomes[name].append(outcome)
            print(f"{name} seed {seed}: {_line(outcome)}", flush=True)
    columns, figures = {}, {}
    for name, of_physics in outcomes.items():
        summary = summarise([error for outcome in of_physics for error in outcome.errors])
        seconds = statistics.mean(outcome.seconds for outcome in of_physics)
        columns[f"{name}, {seconds:.1f} s each"] = summary
        figures.update(_figures(name, summary, seconds))
    start = f"{START_MM:g} mm and {START_DEG:g} degrees off"
    print_table(summary_table(columns, f"TRE in mm, seeds {', '.join(map(str, seeds))}, start {start}"))
    # what is printed of other levels, for tuning, does not replace what is reported
    report("refine" if levels == REPORTED_LEVELS else "refine_tuning", figures)


def _part(progress: Progress, number: int, count: int, run: str) -> Progress:
    """The progress of one run among many."""
    return lambda fraction, message: progress((number + fraction) / count, f"{run}: {message}")


def _line(outcome: Outcome) -> str:
    levels = (f"{e.label} {e.tre_mm:.2f}" + (" (rejected)" if e.status == "rejected" else "") for e in outcome.errors)
    return f"TRE {', '.join(levels)} mm, {outcome.seconds:.1f} s"


def _outcome(case: Case, room: Simulator, name: str, seed: int, progress: Progress) -> Outcome:
    """``radgs-reg simulate --seed``, ``register --initial`` and ``evaluate`` in memory."""
    physics = Physics.named(name, np.random.default_rng([seed, 1]))
    study = take_study(case, room, physics, MOTION_MM, MOTION_DEG, seed)
    levels = list(case.levels)
    start = wrong_start(case, room.T_reference_ct, levels, START_MM, START_DEG, np.random.default_rng([seed, 2]))
    result = register(case, study.images, study.geometry, dict.fromkeys(levels, start), progress=progress)
    return Outcome(evaluate(case, poses_of(result), study.truth, study.geometry), result.seconds)


def _figures(name: str, summary: Summary, seconds: float) -> dict[str, float]:
    figures = {
        "median_tre_mm": summary.median_mm,
        "success_2mm": summary.success_2mm,
        "success_1mm": summary.success_1mm,
        "mean_tre_mm": summary.mean_mm,
        "std_tre_mm": summary.std_mm,
        "p95_tre_mm": summary.p95_mm,
        "max_tre_mm": summary.max_mm,
        **{f"{view}_depth_mm": depth for view, depth in summary.depth_mm.items()},
        "levels": summary.levels,
        "registered": summary.registered,
        "rejected": summary.rejected,
        "wrong_accepts": summary.wrong_accepts,
        "needless_rejects": summary.needless_rejects,
        "bound_coverage": summary.bound_coverage,
        "seconds": seconds,
    }
    return {f"{name}_{key}": float(value) for key, value in figures.items()}


if __name__ == "__main__":
    main()
