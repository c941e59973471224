"""How far a level is off."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radgs_core.case import Vertebra


@dataclass(frozen=True)
class LevelError:
    """Target registration error of a level, mm: the mean over its surface; None after a rejection."""

    label: str
    before_mm: float
    after_mm: float | None
    reason: str


def target_registration_error_mm(
    vertebra: Vertebra, T_reference_ct: NDArray[np.float64], T_true: NDArray[np.float64]
) -> float:
    """Mean distance of the surface points moved by the found and by the true pose, both (4, 4) and mm."""
    points = np.c_[vertebra.surface_points_mm, np.ones(len(vertebra.surface_points_mm))]
    return float(np.linalg.norm(points @ (T_reference_ct - T_true)[:3].T, axis=1).mean())
