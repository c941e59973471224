"""How the benchmarks take X-rays, put a start wrong, and register: shared, so that their figures belong together."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.example_case import REPORTED_LEVELS
from radgs_core.case import Case
from radgs_core.commands.register import poses_of
from radgs_core.evaluation import LevelError, evaluate, wrong_start
from radgs_core.progress import Progress
from radgs_core.registration.pipeline import SpineRegistration
from radgs_core.xray import CArm, Physics, Simulator, Study, biplanar_geometry, body_pose, take_study

MOTION_MM, MOTION_DEG = 3.0, 3.0
START_MM, START_DEG = 8.0, 8.0


@dataclass(frozen=True)
class Outcome:
    """One registration of all levels.

    Attributes:
        errors: of every level, in the order of the case.
        seconds: wall clock from the images in memory to this result.
    """

    errors: Sequence[LevelError]
    seconds: float


class OperatingRoom:
    """A C-arm around a patient, the registration prepared; the body stays where it is, so it is ray cast once.

    Attributes:
        case: the patient, all levels of it in the images' centre.
        T_reference_ct: (4, 4) pose of the body, mm.
    """

    def __init__(self, case: Case) -> None:
        self.case = case
        self.T_reference_ct = body_pose(case, list(case.levels))
        self._registration = SpineRegistration(case)
        self._simulator = Simulator(case, biplanar_geometry(CArm()), self.T_reference_ct)

    def study(self, physics: str, seed: int) -> Study:
        """``radgs-reg simulate --seed`` in memory: bends the spine, draws the settings of the physics and the noise."""
        drawn = Physics.named(physics, np.random.default_rng([seed, 1]))
        return take_study(self.case, self._simulator, drawn, MOTION_MM, MOTION_DEG, seed)

    def wrong_start(self, seed: int) -> NDArray[np.float64]:
        """A start (4, 4) for all levels, wrong by exactly ``START_MM`` and ``START_DEG`` from the body's pose."""
        rng = np.random.default_rng([seed, 2])
        return wrong_start(self.case, self.T_reference_ct, list(self.case.levels), START_MM, START_DEG, rng)

    def registered(self, study: Study, start: NDArray[np.float64], progress: Progress | None = None) -> Outcome:
        """Register all levels from one start (4, 4), and compare with the truth."""
        initial = dict.fromkeys(self.case.levels, start)
        result = self._registration.register(study.images, study.geometry, initial, progress=progress)
        return Outcome(evaluate(self.case, poses_of(result), study.truth, study.geometry), result.seconds)


def report_name(benchmark: str, levels: Sequence[str], left_out: int) -> str:
    """Neither other levels than the reported ones, for tuning, nor a part of the runs replace what is reported.

    Args:
        benchmark: its name.
        levels: on which it was run.
        left_out: how many of the runs that make the reported figures were not made.
    """
    if list(levels) != REPORTED_LEVELS:
        return f"{benchmark}_tuning"
    return f"{benchmark}_part" if left_out else benchmark


def part(progress: Progress, number: int, count: int, run: str) -> Progress:
    """The progress of one run among ``count``."""
    return lambda fraction, message: progress((number + fraction) / count, f"{run}: {message}")
