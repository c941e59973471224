"""Simulated studies as `benchmarks.accuracy` registers them: another C-arm position, dose and physics each.

Ground truth comes from ray casting the CT. Networks are trained with a simulation of its own
(`radgs_core/training/appearance.py`) that shares the tube's table and the split into water and bone, but not how
scatter, blur, noise, collimator and detector are made, and never draws filters, scatter and blur like these (see
`varied_physics`).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.studies import MOTION_DEG, MOTION_MM, START_DEG, START_MM
from radgs_core.case import Case
from radgs_core.evaluation import start_between, varied_geometry, varied_physics, visible_levels, wrong_start
from radgs_core.xray import CArm, Simulator, Study, biplanar_geometry, body_pose, take_study


@dataclass(frozen=True)
class VariedStudy:
    """X-rays, what is true, and a start for those who need one.

    Attributes:
        seed: what everything was drawn from.
        study: images, geometry, truth.
        visible: levels that both views show.
        start: (4, 4) ``T_reference_ct``, mm, wrong for all levels alike.
    """

    seed: int
    study: Study
    visible: frozenset[str]
    start: NDArray[np.float64]


class VariedStudies:
    """Takes X-rays of a patient, all its levels bent on their own, in the middle of the C-arm's unvaried isocentre."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.T_reference_ct = body_pose(case, list(case.levels))
        self._simulator = Simulator(case, biplanar_geometry(CArm()), self.T_reference_ct)

    def taken(self, seed: int) -> VariedStudy:
        """One study; its start is wrong by exactly ``START_MM`` and ``START_DEG`` from the body's pose."""
        study = self._study(seed)
        start = wrong_start(
            self.case,
            self.T_reference_ct,
            list(self.case.levels),
            START_MM,
            START_DEG,
            np.random.default_rng([seed, 2]),
        )
        return self._with_start(seed, study, start)

    def taken_between(self, seed: int, lower_mm: float, upper_mm: float) -> VariedStudy:
        """One study whose start has a mean initial TRE between two bounds (see `start_between`)."""
        study = self._study(seed)
        rng = np.random.default_rng([seed, 2])
        start = start_between(self.case, self.T_reference_ct, _true_poses(study), lower_mm, upper_mm, rng)
        return self._with_start(seed, study, start)

    def _study(self, seed: int) -> Study:
        geometry = varied_geometry(CArm(), np.random.default_rng([seed, 3]))
        room = self._simulator.moved_to(geometry, self.T_reference_ct)
        physics = varied_physics(np.random.default_rng([seed, 1]))
        return take_study(self.case, room, physics, MOTION_MM, MOTION_DEG, seed)

    def _with_start(self, seed: int, study: Study, start: NDArray[np.float64]) -> VariedStudy:
        visible = visible_levels(self.case, study.images, study.geometry, _true_poses(study))
        return VariedStudy(seed, study, visible, start)


def _true_poses(study: Study) -> dict[str, NDArray[np.float64]]:
    return {label: level.T_reference_ct for label, level in study.truth.levels.items()}
