"""What is measured on one study."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from radgs_core.case import Case
from radgs_core.evaluation.protocol import LevelError, evaluate
from radgs_core.evaluation.reconstruction import ReconstructionQuality, reconstruction_quality
from radgs_core.evaluation.system import SystemResult
from radgs_core.geometry.camera import BiplanarGeometry
from radgs_core.io.poses_file import Poses


@dataclass(frozen=True)
class LevelRecord:
    """One level of one study.

    Attributes:
        error: how far it is off, and the verdict.
        visible: whether both views show it.
        quality: of its reconstruction, if there is one.
    """

    error: LevelError
    visible: bool
    quality: ReconstructionQuality | None


@dataclass(frozen=True)
class StudyRecord:
    """One registration.

    Attributes:
        seed: of the study.
        levels: in the order of the case.
        seconds, seconds_by_stage: as of ``SystemResult``.
    """

    seed: int
    levels: Sequence[LevelRecord]
    seconds: float
    seconds_by_stage: Mapping[str, float]


def recorded(
    case: Case, seed: int, result: SystemResult, truth: Poses, geometry: BiplanarGeometry, visible: Collection[str]
) -> StudyRecord:
    """Compare what a system says with the truth.

    Args:
        case: the patient.
        seed: of the study.
        result: of the system.
        truth: where the levels are.
        geometry: both views.
        visible: levels that both views show.

    Raises:
        InputError: as `evaluate`.
    """
    levels = []
    for error in evaluate(case, result.poses, truth, geometry):
        quality, gaussians = None, result.reconstructions.get(error.label)
        if gaussians is not None:
            quality = reconstruction_quality(
                case.levels[error.label], gaussians, truth.levels[error.label].T_reference_ct
            )
        levels.append(LevelRecord(error, error.label in visible, quality))
    return StudyRecord(seed, levels, result.seconds, result.seconds_by_stage)
