"""What is measured on each level of one registration."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from radgs_core.case import Case
from radgs_core.errors import InputError
from radgs_core.evaluation.tre import depth_errors_mm, tre_mm
from radgs_core.geometry.camera import BiplanarGeometry
from radgs_core.io.poses_file import Poses, Status


@dataclass(frozen=True)
class LevelError:
    """How far one level is off.

    Attributes:
        label: the level.
        status: the verdict of the registration.
        tre_mm: target registration error; of rejected levels too.
        expected_tre_mm: what the registration expected it to be, if it said so.
        depth_mm: per view, the part of the error along its depth axis; empty when no geometry was given.
    """

    label: str
    status: Status
    tre_mm: float
    expected_tre_mm: float | None = None
    depth_mm: Mapping[str, float] = field(default_factory=dict)


def evaluate(case: Case, poses: Poses, truth: Poses, geometry: BiplanarGeometry | None = None) -> list[LevelError]:
    """Compare poses with the truth, level by level, in the order of the case.

    Args:
        case: whose surface points are the targets.
        poses: as registered; each of its levels is evaluated.
        truth: where they are; may hold more levels.
        geometry: adds the errors along the views' depth axes.

    Raises:
        InputError: no poses; a level that the case or the truth does not have; different reference frames.
    """
    for name, frame in (("truth", truth.reference), ("geometry", geometry.reference if geometry else poses.reference)):
        if frame != poses.reference:
            raise InputError(
                f"the poses are in {poses.reference}, but the {name} is in {frame}; give both in the same frame."
            )
    if not poses.levels:
        raise InputError("the poses hold no levels, so there is nothing to evaluate; register at least one.")
    for name, known in (("case", case.levels), ("truth", truth.levels)):
        for level in poses.levels:
            if level not in known:
                raise InputError(f"the poses hold {level}, but the {name} does not; it holds {', '.join(known)}.")
    errors = []
    for label in (label for label in case.levels if label in poses.levels):
        points = case.levels[label].surface_points_mm
        found, true = poses.levels[label], truth.levels[label].T_reference_ct
        errors.append(
            LevelError(
                label,
                found.status,
                tre_mm(points, found.T_reference_ct, true),
                found.expected_tre_mm,
                depth_errors_mm(points, found.T_reference_ct, true, geometry) if geometry else {},
            )
        )
    return errors
