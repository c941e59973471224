"""Starts that are wrong by a known amount."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from radgs_core.case import Case
from radgs_core.evaluation.tre import tre_mm
from radgs_core.geometry.rigid import rotation_about

DEGREES_PER_MM = 1.0
"""What a rotation counts against a shift in a start of a given TRE; a radian is felt like 57 mm, about half the length
of the imaged spine."""


def wrong_start(
    case: Case,
    T_reference_ct: NDArray[np.float64],
    levels: Sequence[str],
    translation_mm: float,
    rotation_deg: float,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """A start for every level alike, as one ``initialpose`` gives it.

    Args:
        case: where the levels are in the CT.
        T_reference_ct: (4, 4) pose of the body, mm.
        levels: the rotation is about the mean of their centroids.
        translation_mm: by exactly so much that mean is shifted, in a direction that is uniform on the sphere.
        rotation_deg: exactly this angle, about an axis that is uniform on the sphere.
        rng: draws both directions.

    Returns:
        (4, 4) ``T_reference_ct``, mm.
    """
    centre = _centre_ct_mm(case, levels)
    directions = rng.normal(size=(2, 3))
    shift, axis = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    return T_reference_ct @ rotation_about(centre, np.r_[translation_mm * shift, np.radians(rotation_deg) * axis])


def start_between(
    case: Case,
    T_reference_ct: NDArray[np.float64],
    truth: Mapping[str, NDArray[np.float64]],
    lower_mm: float,
    upper_mm: float,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """A start for every level alike, whose TRE, as the mean over the levels, lies between two bounds.

    It is the body's pose after a rigid offset about the mean of the levels' centroids. Shift and rotation are drawn as
    one isotropic direction in six dimensions (a degree counting like a millimetre), then scaled together until the
    mean TRE is what was drawn for it: uniform between the bounds, or above what the levels' own motion makes of it
    without any offset, where that is more than the lower bound.

    Args:
        case: whose surface points are the targets.
        T_reference_ct: (4, 4) pose of the body, mm.
        truth: where each level is, ``T_reference_ct`` (4, 4), mm.
        lower_mm, upper_mm: bounds of the TRE.
        rng: draws direction and TRE.

    Returns:
        (4, 4) ``T_reference_ct``, mm.

    Raises:
        ValueError: the levels' own motion is more than the upper bound.
    """
    centre = _centre_ct_mm(case, list(truth))
    direction = rng.normal(size=6)
    direction /= np.linalg.norm(direction)
    twist_per_mm = np.r_[direction[:3], np.radians(DEGREES_PER_MM) * direction[3:]]

    def start(scale: float) -> NDArray[np.float64]:
        return T_reference_ct @ rotation_about(centre, scale * twist_per_mm)

    def initial_tre_mm(scale: float) -> float:
        pose = start(scale)
        return float(
            np.mean([tre_mm(case.levels[label].surface_points_mm, pose, true) for label, true in truth.items()])
        )

    unmoved = initial_tre_mm(0.0)
    if unmoved >= upper_mm:
        raise ValueError(f"the levels are {unmoved:.1f} mm from the body's pose, no start is below {upper_mm:g} mm.")
    wanted = rng.uniform(max(lower_mm, unmoved), upper_mm)
    farthest = 1.0
    while initial_tre_mm(farthest) < wanted:
        farthest *= 2
    return start(brentq(lambda scale: initial_tre_mm(scale) - wanted, 0.0, farthest, xtol=1e-6))


def _centre_ct_mm(case: Case, levels: Sequence[str]) -> NDArray[np.float64]:
    """(3,) mean of the levels' centroids, CT coordinates."""
    return np.mean([case.levels[level].T_ct_vertebra[:3, 3] for level in levels], axis=0)
