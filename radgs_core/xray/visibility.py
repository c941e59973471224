"""How much of a vertebra an X-ray shows."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from radgs_core.case import Vertebra
from radgs_core.geometry.rigid import transform_points
from radgs_core.xray.observation import Observation

LEAST_VISIBLE = 0.7
"""Share of a vertebra's surface points that must fall on usable pixels, in each view."""


def visible_share(vertebra: Vertebra, T_reference_ct: NDArray[np.float64], observation: Observation) -> float:
    """Share of the surface points of a vertebra, at a pose (4, 4), mm, that fall on usable pixels of an X-ray."""
    points = transform_points(T_reference_ct, vertebra.surface_points_mm.astype(np.float64))
    pixels = observation.camera.project(points)
    on_usable = ndimage.map_coordinates(
        observation.usable.numpy(), pixels[:, ::-1].T, order=0, mode="constant", cval=0.0
    )
    return float(on_usable.mean())
