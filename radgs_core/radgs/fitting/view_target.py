"""Ray-cast views of a volume from all around it, as targets of the fit."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from radgs_core.geometry.camera import XrayCamera
from radgs_core.volume import Volume
from radgs_core.xray.raycast import RayCastVolume

VIEWS, GROUPS = 12, 4
PIXEL_MM = 1.0
"""At the object, which is about the resolution of a CT."""
DISTANCE_MM = 700.0
"""From the X-ray source to the object, as with a C-arm; integrals are exact in perspective, so it matters little."""
LARGEST_SINE = 0.7
"""Of the angle between a view and the axial plane: no X-ray is taken along the spine."""
MARGIN_MM = 2.0


@dataclass(frozen=True)
class ViewTargets:
    """Views of a volume.

    Attributes:
        cameras: posed in the CT frame.
        images: (height, width) float32 line integrals.
    """

    cameras: list[XrayCamera]
    images: list[torch.Tensor]

    @cached_property
    def energy(self) -> float:
        """Sum of squares of all images; NumPy's does not depend on the number of threads."""
        return sum(float(np.square(image.numpy()).sum()) for image in self.images)


def ray_cast_views(attenuation: Volume) -> list[ViewTargets]:
    """Ray cast `VIEWS` views that see all of a volume, in `GROUPS` groups that each look from all around.

    Args:
        attenuation: cut to its object; the CT frame's third axis runs along the spine.
    """
    corners = np.stack(np.meshgrid(*[(-1.0, n) for n in attenuation.data.shape], indexing="ij"), -1).reshape(-1, 3)
    points = attenuation.points_mm(corners)
    centre = points.mean(0)
    radius = float(np.linalg.norm(points - centre, axis=1).max()) + MARGIN_MM
    cameras = [_camera(direction, centre, radius) for direction in _directions()]
    volume = RayCastVolume.from_volume(attenuation)
    images = [volume.line_integral(camera, np.eye(4)) for camera in cameras]
    return [ViewTargets(cameras[first::GROUPS], images[first::GROUPS]) for first in range(GROUPS)]


def _directions() -> NDArray[np.float64]:
    """(VIEWS, 3) unit vectors, spread evenly over the sphere but its caps (a Fibonacci lattice)."""
    number = np.arange(VIEWS)
    z = LARGEST_SINE * ((2 * number + 1) / VIEWS - 1)
    azimuth = math.pi * (3 - math.sqrt(5)) * number
    return np.stack([np.sqrt(1 - z * z) * np.cos(azimuth), np.sqrt(1 - z * z) * np.sin(azimuth), z], -1)


def _camera(direction: NDArray[np.float64], centre: NDArray[np.float64], radius: float) -> XrayCamera:
    """A view along a direction, as large as a sphere of a radius around the centre."""
    right = np.cross([0.0, 0.0, 1.0], direction)
    right /= np.linalg.norm(right)
    T_ct_camera = np.eye(4)
    T_ct_camera[:3, :3] = np.stack([right, np.cross(direction, right), direction], -1)
    T_ct_camera[:3, 3] = centre - DISTANCE_MM * direction
    focal = DISTANCE_MM / PIXEL_MM
    size = 2 * math.ceil(focal * math.tan(math.asin(radius / DISTANCE_MM)))
    middle = (size - 1) / 2
    return XrayCamera(size, size, np.array([[focal, 0, middle], [0, focal, middle], [0, 0, 1]]), T_ct_camera)
