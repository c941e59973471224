"""A bead in the beam, ray cast: a bright spot whose place in an X-ray is known."""

import numpy as np
import torch
from numpy.typing import NDArray

from radgs_core.geometry.camera import XrayCamera
from radgs_core.volume import Volume
from radgs_core.xray.observation import Observation
from radgs_core.xray.raycast import RayCastVolume

RADIUS_MM = 6.0
HALF = 9


def seen_bead(camera: XrayCamera, centre_mm: NDArray[np.float64]) -> Observation:
    """An X-ray of nothing but a bead with its centre at a point (3,) of the reference frame."""
    points = np.stack(np.indices([2 * HALF + 1] * 3), -1) - HALF
    ball = 0.05 * np.clip(RADIUS_MM + 0.5 - np.linalg.norm(points, axis=-1), 0, 1)
    T_reference_voxel = np.eye(4)
    T_reference_voxel[:3, 3] = centre_mm - HALF
    image = RayCastVolume.from_volume(Volume(ball, T_reference_voxel)).line_integral(camera, np.eye(4))
    return Observation(camera, image, torch.ones_like(image))
