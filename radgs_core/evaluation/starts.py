"""Starts that are wrong by a known amount."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from radgs_core.case import Case
from radgs_core.geometry.rigid import rotation_about


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
    centre = np.mean([case.levels[level].T_ct_vertebra[:3, 3] for level in levels], axis=0)
    directions = rng.normal(size=(2, 3))
    shift, axis = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    return T_reference_ct @ rotation_about(centre, np.r_[translation_mm * shift, np.radians(rotation_deg) * axis])
