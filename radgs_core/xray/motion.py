"""Spine bending: every level moves on its own."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from radgs_core.case import Case
from radgs_core.geometry.rigid import rotation_about


def bend(
    case: Case, levels: Sequence[str], translation_mm: float, rotation_deg: float, rng: np.random.Generator
) -> Mapping[str, NDArray[np.float64]]:
    """Draw a rigid motion for every level: a shift, and a rotation about the vertebra's centroid.

    Directions are uniform on the sphere. Magnitudes are uniform between half and one and a half times
    ``translation_mm`` and ``rotation_deg``, which are therefore their means.

    Returns:
        Per level ``T_ct_ct`` (4, 4), mm: where the vertebra was in the CT into where it is now, in CT coordinates. Its
        pose in the reference frame is ``T_reference_body @ T_ct_ct``.
    """
    return MappingProxyType(
        {
            level: random_motion(case.levels[level].T_ct_vertebra[:3, 3], translation_mm, rotation_deg, rng)
            for level in levels
        }
    )


def random_motion(
    centre_mm: NDArray[np.float64], translation_mm: float, rotation_deg: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """One motion (4, 4) about ``centre_mm`` (3,), drawn as ``bend`` says."""
    shift = translation_mm * rng.uniform(0.5, 1.5) * _direction(rng)
    turn = np.radians(rotation_deg) * rng.uniform(0.5, 1.5) * _direction(rng)
    return rotation_about(centre_mm, np.r_[shift, turn])


def _direction(rng: np.random.Generator) -> NDArray[np.float64]:
    vector = rng.normal(size=3)
    return vector / np.linalg.norm(vector)
