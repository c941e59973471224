"""The places on a vertebra that attention is taught to look at: a lattice in its box, the same on every level."""

import itertools

import numpy as np
from numpy.typing import NDArray

from radgs_core.case import Vertebra
from radgs_core.geometry.rigid import inverse, transform_points

SHARES = (0.15, 0.5, 0.85)
"""Where the lattice lies along each side of the box."""
PLACES = len(SHARES) ** 3


def places_mm(vertebra: Vertebra) -> NDArray[np.float64]:
    """(27, 3) rigidly attached points, vertebra frame, mm; they fill the box of its surface, on bone or not."""
    surface = transform_points(inverse(vertebra.T_ct_vertebra), vertebra.surface_points_mm.astype(np.float64))
    lower, upper = surface.min(0), surface.max(0)
    return lower + np.array(list(itertools.product(SHARES, repeat=3))) * (upper - lower)
