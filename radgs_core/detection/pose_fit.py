"""Poses of rigid objects from sightings of their landmarks: maximum a posteriori, by Gauss-Newton steps."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from radgs_core.detection.sightings import Sightings, project

SOFTNESS = 2.0
"""Errors beyond so many standard deviations are more likely mistakes: their pull decreases."""
MOST_STEPS = 15
SHORTEST_STEP_MM = 0.01
ARM_MM = 50.0
"""A radian is counted as a step of this length."""


@dataclass(frozen=True)
class Motion:
    """Standard deviations of how far an object may be from its start, in each coordinate.

    Attributes:
        shift_mm: of the mean of its landmarks.
        turn_deg: about that mean.
    """

    shift_mm: float
    turn_deg: float


def fitted_poses(sightings: Sightings, starts: NDArray[np.float64], motion: Motion) -> NDArray[np.float64]:
    """Poses with the least robust reprojection error plus distance from their starts.

    The loss of an error of ``e`` standard deviations is Cauchy's, ``s^2 / 2 log(1 + e^2 / s^2)`` with ``s`` the
    `SOFTNESS`; it is minimised by iteratively reweighted least squares.

    Args:
        sightings: of G objects.
        starts: (G, 4, 4) ``T_reference_ct``, mm.
        motion: the Gaussian prior, centred on the starts.

    Returns:
        (G, 4, 4) ``T_reference_ct``.
    """
    middles = sightings.landmarks_mm.mean(1)
    arms = sightings.landmarks_mm - middles[:, None]
    rotations = starts[:, :3, :3]
    turn = Rotation.from_rotvec(np.zeros((len(starts), 3)))
    first_places = (rotations @ middles[..., None])[..., 0] + starts[:, :3, 3]
    places = first_places
    information = 1 / np.repeat([motion.shift_mm, np.radians(motion.turn_deg)], 3) ** 2
    for _ in range(MOST_STEPS):
        curvature, gradient = _normal_equations(sightings, arms @ np.swapaxes(rotations, 1, 2), places)
        gradient += information * np.concatenate([places - first_places, turn.as_rotvec()], -1)
        twists = -np.linalg.solve(curvature + np.diag(information), gradient[..., None])[..., 0]
        places = places + twists[:, :3]
        turn = Rotation.from_rotvec(twists[:, 3:]) * turn
        rotations = turn.as_matrix() @ starts[:, :3, :3]
        if np.abs(twists * np.repeat([1.0, ARM_MM], 3)).max() < SHORTEST_STEP_MM:
            break
    poses = np.zeros_like(starts)
    poses[:, :3, :3] = rotations
    poses[:, :3, 3] = places - (rotations @ middles[..., None])[..., 0]
    poses[:, 3, 3] = 1.0
    return poses


def _normal_equations(
    sightings: Sightings, arms: NDArray[np.float64], places: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Curvature (G, 6, 6) and gradient (G, 6) of the reprojection loss by twists (shift, turn about the place).

    Args:
        sightings: of G objects.
        arms: (G, N, 3) from the places (G, 3) to the landmarks, in the reference frame, mm.
        places: where the objects are.
    """
    pixels, depths = project(sightings.projections, arms + places[:, None])
    linear = sightings.projections[:, None, None, :, :3]
    # derivative of (u / w, v / w) by the point: (row of u - pixel * row of w) / w
    by_point = (linear[..., :2, :] - pixels[..., None] * linear[..., 2:, :]) / depths[..., None, None]
    # a turn omega moves a point by omega x arm, so a row g has the derivative arm x g
    jacobian = np.concatenate([by_point, _cross(arms[:, :, None], by_point)], -1)
    scale = sightings.mm_per_pixel[:, None, None] / sightings.sigma_mm
    errors = (pixels - sightings.pixels) * scale[..., None]
    jacobian *= scale[..., None, None]
    weights = sightings.weights / (1 + (errors**2).sum(-1) / SOFTNESS**2)
    weighted = jacobian * weights[..., None, None]
    # one object's rows of all views together
    rows, weighted_rows = (_by_object(each) for each in (jacobian, weighted))
    gradient = np.swapaxes(weighted_rows, 1, 2) @ _by_object(errors[..., None])
    return np.swapaxes(weighted_rows, 1, 2) @ rows, gradient[..., 0]


def _by_object(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(V, G, N, 2, K) as (G, V N 2, K)."""
    return np.swapaxes(values, 0, 1).reshape(values.shape[1], -1, values.shape[-1])


def _cross(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cross product along the last axis; several times faster than NumPy's on small arrays."""
    return a[..., [1, 2, 0]] * b[..., [2, 0, 1]] - a[..., [2, 0, 1]] * b[..., [1, 2, 0]]
