"""The body around the vertebrae: its renderings at any scale."""

from dataclasses import dataclass, field
from threading import Lock

import numpy as np
import torch
from numpy.typing import NDArray

from radgs_core.geometry.camera import XrayCamera
from radgs_core.geometry.rigid import inverse, log_se3
from radgs_core.gradient_filter import smooth_gradient
from radgs_core.xray.ray_march import RayMarchVolume
from radgs_core.xray.raycast import RayCastVolume

ARM_MM = 60.0
"""Half the length of the imaged spine: how far out a rotation is felt."""
LINEAR_WITHIN_MM = 0.7
LINEAR_WITHIN_BLURS = 0.3
"""So far the linearised image of the body serves, in millimetres or in blurs; then it is rendered anew."""


class Body:
    """The attenuation of the body, averaged to whatever voxels a scale needs; each is made once.

    Args:
        finest: attenuation at the CT's own resolution, 1/mm.
    """

    def __init__(self, finest: RayCastVolume) -> None:
        self.finest = finest
        self._coarse: dict[tuple[int, ...], RayMarchVolume] = {}
        self._lock = Lock()

    def averaged(self, voxel_mm: float) -> RayMarchVolume:
        """The body in voxels of about ``voxel_mm``."""
        with self._lock:  # one thread a view asks
            factors = self.finest.downsampling_factors(voxel_mm)
            if factors not in self._coarse:
                self._coarse[factors] = RayMarchVolume(self.finest.downsampled(voxel_mm))
            return self._coarse[factors]


@dataclass(frozen=True)
class _Linearisation:
    """Gradients (7, 2, H, W) of the blurred image at a pose, and of its derivatives by a twist about ``centre_mm``."""

    T_reference_ct: NDArray[np.float64]
    centre_mm: NDArray[np.float64]
    gradients: torch.Tensor


@dataclass
class BodyImage:
    """The body in one view at one scale: rendered when it has moved, and linearised in between.

    Attributes:
        volume: attenuation of the body, 1/mm.
        camera: the view.
        blur_px: standard deviation of the blur.
        blur_mm: the same, seen from the body.
    """

    volume: RayMarchVolume
    camera: XrayCamera
    blur_px: float
    blur_mm: float
    _linearisation: _Linearisation | None = field(default=None, init=False)

    def gradients(self, T_reference_ct: NDArray[np.float64], centre_mm: NDArray[np.float64]) -> torch.Tensor:
        """(7, 2, H, W): gradients of the blurred image at a pose, then of its derivatives by a twist about a centre."""
        near = self._linearisation
        if near is not None and np.array_equal(near.centre_mm, centre_mm):
            twist = _twist_between(near.T_reference_ct, T_reference_ct, centre_mm)
            moved_mm = np.linalg.norm(twist[:3]) + ARM_MM * np.linalg.norm(twist[3:])
            if moved_mm < max(LINEAR_WITHIN_MM, LINEAR_WITHIN_BLURS * self.blur_mm):
                weights = torch.as_tensor(np.r_[1.0, twist], dtype=near.gradients.dtype)
                here = torch.tensordot(weights, near.gradients, 1)
                return torch.cat([here[None], near.gradients[1:]])
        images = self.volume.line_integral_with_pose_derivatives(self.camera, T_reference_ct, centre_mm)
        self._linearisation = _Linearisation(T_reference_ct, centre_mm, smooth_gradient(images, self.blur_px))
        return self._linearisation.gradients


def _twist_between(
    start: NDArray[np.float64], end: NDArray[np.float64], centre_mm: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(6,) twist about ``centre_mm`` that moves one pose to another."""
    motion = end @ inverse(start)
    motion[:3, 3] += motion[:3, :3] @ centre_mm - centre_mm
    return log_se3(motion)
