"""Whether a level's pose can be used, and how far off it is to be expected.

A pose is rejected when something speaks against it that can be seen without knowing the truth: too little of the
vertebra is in an image, the rendering does not look like the X-ray there, the vertebra itself explains nothing of it,
the vertebra would have left its neighbours, or the pose is not known well enough for how far from it the networks see
the vertebra. The thresholds were set on studies of T5..T8 of the example CT, other levels than those
in the published tables.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from radgs_core.case import Case, Vertebra
from radgs_core.geometry.rigid import displacement_jacobian, inverse, rotation_angle_deg, transform_points
from radgs_core.registration.learned import Learned
from radgs_core.registration.refinement import Refined
from radgs_core.registration.result import LevelResult
from radgs_core.xray.observation import Observation
from radgs_core.xray.visibility import LEAST_VISIBLE, visible_share

LEAST_SIMILARITY = 0.6
"""Local correlation over the footprint, in each view."""
LEAST_BONE_SIMILARITY = 0.24
"""Partial correlation of bone over the footprint, mean over views: the body alone can look right in its place."""
LARGEST_MOTION_MM = 15.0
LARGEST_MOTION_DEG = 15.0
"""Against the body: more than a spine bends at one level between CT and surgery."""
LARGEST_EXPECTED_TRE_MM = 0.95
LARGEST_DISTANCE_MM = 2.6
"""Where there are networks: mean over surface points, between the poses of refinement and of RecM and RegM. Expected
error and distance are doubts that add up in squares."""
ERROR_SCALE_MM = 0.025
"""Turns the curvature of the similarity into millimetres of TRE; calibrated (docs/evaluation.md)."""
ROUNDING_SHARE = 1e-12
"""Of the largest eigenvalue of the information: below is rounding, and nothing is known in that direction."""
UNKNOWN_PART = 1e-6
"""A level has a part in an unknown direction if its six numbers of the unit vector are longer than this."""


def judge(
    case: Case,
    views: Sequence[str],
    observations: Sequence[Observation],
    refined: Refined,
    learned: Learned | None = None,
) -> Mapping[str, LevelResult]:
    """Verdicts on all levels of the case.

    Args:
        case: the patient.
        views, observations: names and images of the views, in the order refinement saw them.
        refined: where refinement ended.
        learned: where the networks see the levels, if they were asked.
    """
    results = {}
    for index, (label, vertebra) in enumerate(case.levels.items()):
        pose = refined.poses.levels[index]
        similarity = {view: float(refined.similarity[v, index]) for v, view in enumerate(views)}
        expected = expected_tre_mm(vertebra, pose, refined, index)
        reason = (
            _unseen(vertebra, pose, views, observations)
            or _unlike(label, similarity)
            or _not_seen_itself(label, float(refined.bone_similarity[:, index].mean()))
            or _displaced(label, vertebra, pose, refined.poses.body)
            or _uncertain(label, expected)
            or (_doubted(vertebra, expected, pose, learned.T_reference_ct[index]) if learned else "")
        )
        results[label] = LevelResult(
            label=label,
            status="rejected" if reason else "registered",
            reason=reason,
            T_reference_ct=pose,
            expected_tre_mm=expected,
            converged=refined.converged,
            iterations=refined.iterations,
            similarity=similarity,
        )
    return results


def not_found(levels: Sequence[str], reason: str) -> Mapping[str, LevelResult]:
    """Verdicts when the images gave no start: all rejected for this reason; their poses are the identity."""
    return {level: _rejected(level, reason, np.eye(4)) for level in levels}


def unverified(case: Case, T_reference_ct: NDArray[np.float64]) -> Mapping[str, LevelResult]:
    """Verdicts on poses (L, 4, 4), mm, that no rendering was compared with: all rejected."""
    reason = "refinement was left out, so nothing verifies this pose; leave it in."
    return {level: _rejected(level, reason, pose) for level, pose in zip(case.levels, T_reference_ct, strict=True)}


def _rejected(label: str, reason: str, T_reference_ct: NDArray[np.float64]) -> LevelResult:
    return LevelResult(
        label, "rejected", reason, T_reference_ct, math.inf, converged=False, iterations=0, similarity={}
    )


def expected_tre_mm(vertebra: Vertebra, pose: NDArray[np.float64], refined: Refined, index: int) -> float:
    """Root mean square displacement of the surface under the uncertainty of the pose, mm.

    The inverse curvature of the objective gives the shape of the uncertainty (Laplace's approximation); what the
    rendering leaves unexplained, ``1 - similarity^2``, and ``ERROR_SCALE_MM`` give its size.
    Infinite where the images leave the level free to move in some direction, whatever the prior says of it.
    """
    block = slice(6 + 6 * index, 12 + 6 * index)
    eigenvalues, directions = np.linalg.eigh(refined.information)
    unknown = directions[:, eigenvalues <= ROUNDING_SHARE * eigenvalues[-1]]
    if (np.linalg.norm(unknown[block], axis=0) > UNKNOWN_PART).any():
        return math.inf
    covariance = np.linalg.pinv(refined.precision, ROUNDING_SHARE, hermitian=True)
    arms = transform_points(pose, vertebra.surface_points_mm.astype(np.float64))
    arms = arms - transform_points(pose, vertebra.T_ct_vertebra[:3, 3])
    jacobian = displacement_jacobian(arms)
    mean_square = np.einsum("nik,kl,nil->", jacobian, covariance[block, block], jacobian) / len(arms)
    unexplained = 1 - float(np.mean(refined.similarity[:, index] ** 2))
    return ERROR_SCALE_MM * float(np.sqrt(max(mean_square, 0.0) * max(unexplained, 0.0)))


def _unseen(
    vertebra: Vertebra, pose: NDArray[np.float64], views: Sequence[str], observations: Sequence[Observation]
) -> str:
    for view, observation in zip(views, observations, strict=True):
        share = visible_share(vertebra, pose, observation)
        if share < LEAST_VISIBLE:
            return (
                f"only {100 * share:.0f} % of {vertebra.label} lies in the usable part of the {view} image;"
                " centre the C-arm on it."
            )
    return ""


def _unlike(label: str, similarity: Mapping[str, float]) -> str:
    view = min(similarity, key=lambda v: similarity[v])
    if not similarity[view] >= LEAST_SIMILARITY:
        return (
            f"{label} does not look like its CT in the {view} image (similarity {similarity[view]:.2f}, at least"
            f" {LEAST_SIMILARITY:.2f} is needed); check the start pose, the geometry and the image."
        )
    return ""


def _not_seen_itself(label: str, bone_similarity: float) -> str:
    if not bone_similarity >= LEAST_BONE_SIMILARITY:
        return (
            f"the edges of {label} itself are hardly found in the images (correlation {bone_similarity:.2f}, at least"
            f" {LEAST_BONE_SIMILARITY:.2f} is needed); check the start pose or take images with less noise."
        )
    return ""


def _displaced(label: str, vertebra: Vertebra, pose: NDArray[np.float64], body: NDArray[np.float64]) -> str:
    motion = inverse(body) @ pose
    centre = vertebra.T_ct_vertebra[:3, 3]
    shift, angle = float(np.linalg.norm(transform_points(motion, centre) - centre)), rotation_angle_deg(motion)
    if shift > LARGEST_MOTION_MM or angle > LARGEST_MOTION_DEG:
        return (
            f"{label} would have moved {shift:.0f} mm and {angle:.0f} degrees against the body, more than the"
            f" {LARGEST_MOTION_MM:.0f} mm and {LARGEST_MOTION_DEG:.0f} degrees that are plausible;"
            " check the start pose."
        )
    return ""


def _uncertain(label: str, expected: float) -> str:
    if math.isinf(expected):
        return f"the images do not determine the pose of {label}; take images in which it is seen."
    if not expected <= LARGEST_EXPECTED_TRE_MM:
        return (
            f"the pose of {label} is known only to {expected:.2f} mm, and {LARGEST_EXPECTED_TRE_MM:.2f} mm is the"
            " limit; take sharper images with less noise."
        )
    return ""


def _doubted(vertebra: Vertebra, expected: float, refined: NDArray[np.float64], learned: NDArray[np.float64]) -> str:
    """Networks and refinement seldom go astray to the same place, so the better they agree, the less well the pose
    needs to be known. ``expected`` is within its own limit."""
    points = vertebra.surface_points_mm.astype(np.float64)
    apart = float(np.linalg.norm(transform_points(refined, points) - transform_points(learned, points), axis=1).mean())
    limit = LARGEST_DISTANCE_MM * math.sqrt(1 - (expected / LARGEST_EXPECTED_TRE_MM) ** 2)
    if apart <= limit:
        return ""
    return (
        f"refinement ended {apart:.2f} mm from where the networks see {vertebra.label}, and {limit:.2f} mm is the limit"
        f" where its pose is known to {expected:.2f} mm; take sharper images with less noise."
    )
