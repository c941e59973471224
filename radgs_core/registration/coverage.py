"""Which rays stay inside what the CT has seen."""

import numpy as np
import torch
from numpy.typing import NDArray

from radgs_core.geometry.camera import XrayCamera
from radgs_core.geometry.rigid import inverse
from radgs_core.xray.raycast import RayCastVolume

CELL_PX = 4
"""Rays are tested at the corners of square cells; a cell is covered where all its corners are."""


def covered_by_ct(body: RayCastVolume, camera: XrayCamera, T_reference_ct: NDArray[np.float64]) -> torch.Tensor:
    """Rays that do not cross the CT's first or last slice: beyond these the patient goes on, but the CT does not.

    Args:
        body: the CT's grid.
        camera: the view.
        T_reference_ct: (4, 4) where the CT is, mm.

    Returns:
        (height, width) bool. Rays that pass beside the CT are covered: there is no patient.
    """
    T_voxel_camera = np.linalg.inv(body.T_ct_voxel) @ inverse(T_reference_ct) @ camera.T_reference_camera
    extent = np.array(body.values.shape[::-1], dtype=np.float64)
    row, column = np.mgrid[: camera.height + CELL_PX : CELL_PX, : camera.width + CELL_PX : CELL_PX] - 0.5
    pixels = np.stack([column, row, np.ones_like(row)], -1)
    direction = pixels @ np.linalg.inv(camera.camera_matrix).T @ T_voxel_camera[:3, :3].T
    direction = np.where(np.abs(direction) < 1e-12, 1e-12, direction)
    source = T_voxel_camera[:3, 3]
    superior = int(np.argmax(np.abs(body.T_ct_voxel[2, :3]) / np.linalg.norm(body.T_ct_voxel[:3, :3], axis=0)))
    in_slice = [axis for axis in range(3) if axis != superior]
    lower, upper = (-0.5 - source) / direction, (extent - 0.5 - source) / direction
    entry = np.minimum(lower, upper)[..., in_slice].max(-1)
    leave = np.maximum(lower, upper)[..., in_slice].min(-1)
    heights = source[superior] + np.stack([entry, leave]) * direction[..., superior]
    inside = ((heights > -0.5) & (heights < extent[superior] - 0.5)).all(0)
    corners = inside | (leave <= entry)
    cells = corners[:-1, :-1] & corners[:-1, 1:] & corners[1:, :-1] & corners[1:, 1:]
    return torch.as_tensor(cells.repeat(CELL_PX, 0).repeat(CELL_PX, 1)[: camera.height, : camera.width])
