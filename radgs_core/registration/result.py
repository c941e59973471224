"""What a registration returns."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radgs_core.io.poses_file import Status
from radgs_core.registration.learned import Learned
from radgs_core.xray.observation import Observation


@dataclass(frozen=True)
class LevelResult:
    """The outcome for one vertebra.

    Attributes:
        label: the level.
        status: ``registered``, or ``rejected``: then the pose must not be used.
        reason: why it was rejected, one sentence; empty when registered.
        T_reference_ct: (4, 4) where this vertebra carries the CT's coordinates, mm.
        expected_tre_mm: the error to be expected, mm (see docs/safety.md for what it is worth); infinite where the
            images do not determine the pose.
        converged: the refinement came to rest before its last iteration.
        iterations: how many refinement iterations were made.
        similarity: local gradient correlation over the vertebra's footprint, by view; 1 is perfect, 0 unrelated.
    """

    label: str
    status: Status
    reason: str
    T_reference_ct: NDArray[np.float64]
    expected_tre_mm: float
    converged: bool
    iterations: int
    similarity: Mapping[str, float]


@dataclass(frozen=True)
class RegistrationResult:
    """The outcome for all levels of one pair of X-rays.

    Attributes:
        reference: the frame that the poses are expressed in.
        levels: one result for every level that was asked for.
        T_reference_body: (4, 4) where the rest of the body carries the CT's coordinates, mm.
        seconds: wall clock from images in memory to this result.
        seconds_by_stage: of it, by stage: ``images``, ``detection``, ``placement``, ``learned``, ``refinement``,
            ``verdict``, those that were gone through.
        learned: what RecM and RegM made of the images; None when they were not used.
        observations: by view, the X-rays as they were compared with renderings.
    """

    reference: str
    levels: Mapping[str, LevelResult]
    T_reference_body: NDArray[np.float64]
    seconds: float
    seconds_by_stage: Mapping[str, float]
    learned: Learned | None
    observations: Mapping[str, Observation]

    @property
    def registered(self) -> dict[str, LevelResult]:
        """The levels whose poses hold."""
        return {label: level for label, level in self.levels.items() if level.status == "registered"}

    @property
    def all_registered(self) -> bool:
        """Whether every level that was asked for is registered."""
        return len(self.registered) == len(self.levels)

    @property
    def rejections(self) -> str:
        """For people: the rejected levels and why, such as ``T12, L1: they were not found.``; empty if there are none.

        A reason is told once: it is the same for all levels when they are not found.
        """
        labels: dict[str, list[str]] = {}  # by reason
        for label, level in self.levels.items():
            if level.status == "rejected":
                labels.setdefault(level.reason, []).append(label)
        return "; ".join(f"{', '.join(rejected)}: {reason}" for reason, rejected in labels.items())
