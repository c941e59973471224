"""Line integrals through a voxel volume together with their derivatives by the volume's pose.

Registration needs the seven images in every linearisation. Finite differences ray cast seven times; here one march
along each ray gives all of them (`radgs_core/kernels/ray_march.h` has the formulas).
"""

import itertools
import math
from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock

import numpy as np
import torch
from numpy.typing import NDArray

from radgs_core.errors import InputError
from radgs_core.geometry.camera import XrayCamera
from radgs_core.kernels.engine import launch
from radgs_core.kernels.ray_march import ray_march
from radgs_core.xray.raycast import RayCastVolume

BORDER = 2
"""Zeros around each layer: one voxel into which the interpolation falls, and one for rounding."""
LARGEST_DRIFT = 0.5
"""Voxels that a ray may drift within the layers from one sample to the next. Views 45 degrees between two axes of a
body of 2 mm voxels are then off by 1e-4 of the largest line integral (rms), and by 9e-4 if the drift is not limited."""
SMALLEST_ADVANCE = 0.25
"""What every ray must advance along the marching axis while it advances one voxel along any other."""
KEPT_LAYERS = 4
"""Copies of the volume that are kept, the last used ones: two views need two, and the C-arm may turn."""


@dataclass(frozen=True)
class RayMarchVolume:
    """A volume made ready for repeated rendering with derivatives.

    The first view along an axis of the volume copies the volume into layers across that axis; later ones reuse them.
    Threads may share it.

    Attributes:
        volume: what is integrated; on the device that shall do the work.
    """

    volume: RayCastVolume
    _layers: OrderedDict[tuple[int, int], torch.Tensor] = field(
        default_factory=OrderedDict, init=False, repr=False, compare=False
    )
    _lock: Lock = field(default_factory=Lock, init=False, repr=False, compare=False)

    def line_integral_with_pose_derivatives(
        self, camera: XrayCamera, T_reference_ct: NDArray[np.float64], centre_mm: NDArray[np.float64]
    ) -> torch.Tensor:
        """Integrate along the ray of every pixel, with the derivatives by a small motion of the volume.

        Rays are sampled where they cross the layers of voxels across the axis that the view follows most, or layers
        interpolated between these where the view is oblique. The derivatives are exactly those of the weighted sum.

        Args:
            camera: the view; its pose is in the reference frame.
            T_reference_ct: (4, 4) where the volume is, mm.
            centre_mm: (3,) point of the reference frame. The twist acts from the left, in the reference frame, about
                this point: ``p -> centre + exp(twist) (p - centre)``.

        Returns:
            (7, height, width) float32: the line integrals, in the values' unit times mm, then their derivatives by the
            twist ``(v, omega)`` per mm and per rad.

        Raises:
            InputError: no axis of the volume suits all rays, because the view is far wider than any X-ray system's.
        """
        device = self.volume.values.device
        voxel_of_reference = np.linalg.inv(T_reference_ct @ self.volume.T_ct_voxel)
        mm_of_pixel = camera.T_reference_camera[:3, :3] @ np.linalg.inv(camera.camera_matrix)
        axis, per_voxel = _sampling(camera, voxel_of_reference[:3, :3] @ mm_of_pixel)
        layers = self._across(axis, per_voxel)
        height, count, width = layers.shape
        layer_of_voxel = np.diag([1.0, 1.0, per_voxel, 1.0])
        layer_of_voxel[:3, 3] = BORDER, BORDER, per_voxel
        to_layers = layer_of_voxel @ voxel_of_reference[[*_within(axis), axis, 3]]
        geometry = [
            to_layers[:3, :3] @ mm_of_pixel,
            to_layers[:3, :3] @ camera.source_mm + to_layers[:3, 3],
            mm_of_pixel,
            to_layers[:3, :3],
            camera.source_mm - centre_mm,
        ]
        numbers = torch.from_numpy(np.concatenate([part.ravel() for part in geometry])).to(device)
        images = torch.empty(7, camera.height, camera.width, device=device)
        tasks = camera.height * camera.width if device.type == "cuda" else torch.get_num_threads()
        launch(
            ray_march,
            tasks,
            [layers.view(-1), width, height, count, numbers, camera.width, camera.height, tasks, images.view(-1)],
            device,
        )
        return images

    def _across(self, axis: int, per_voxel: int) -> torch.Tensor:
        """(rows, layers, columns) of the volume across an axis: ``per_voxel`` layers a voxel, the first of zeros."""
        key = axis, per_voxel
        with self._lock:
            if key not in self._layers:
                self._layers[key] = self._layered(axis, per_voxel)
            self._layers.move_to_end(key)
            if len(self._layers) > KEPT_LAYERS:
                self._layers.popitem(last=False)
            return self._layers[key]

    def _layered(self, axis: int, per_voxel: int) -> torch.Tensor:
        column, row = _within(axis)
        # the values' dimensions are the axes in reverse order
        values = self.volume.values.permute(2 - row, 2 - axis, 2 - column)
        layers = torch.nn.functional.pad(values, [BORDER, BORDER, 1, 1, BORDER, BORDER])
        if per_voxel > 1:
            near, far = layers[:, :-1], layers[:, 1:]
            between = [torch.lerp(near, far, i / per_voxel) for i in range(per_voxel)]
            layers = torch.stack(between, 2).flatten(1, 2)
        return layers


def _within(axis: int) -> tuple[int, int]:
    """The axes along the rows of a layer and along its columns."""
    first, second = (other for other in range(3) if other != axis)
    return first, second


def _sampling(camera: XrayCamera, voxel_of_pixel: NDArray) -> tuple[int, int]:
    """Along which voxel axis to march, and how many layers a voxel, judged by the corners of the image."""
    corners = np.array(list(itertools.product((0, camera.width - 1), (0, camera.height - 1), (1,))))
    directions = corners @ voxel_of_pixel.T
    advances = directions / np.abs(directions).max(1, keepdims=True)
    # between rays that advance with opposite signs lies one that does not advance at all
    least = np.maximum(advances.min(0), -advances.max(0))
    axis = int(least.argmax())
    if least[axis] < SMALLEST_ADVANCE:
        raise InputError(
            f"{camera.name}: the rays of this view spread too far; check its camera_matrix and image size."
        )
    within = np.delete(directions, axis, 1)
    drift = float(np.abs(within / directions[:, [axis]]).max())
    return axis, max(1, math.ceil(drift / LARGEST_DRIFT))
