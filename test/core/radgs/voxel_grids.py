"""Grids that the tests of voxelizers share; all cut through the Gaussians of `scenes`."""

import numpy as np
import torch

from radgs_core.geometry.rigid import exp_se3
from radgs_core.radgs.voxel_grid import VoxelGrid


def grid(shape: tuple[int, int, int], steps_mm: list[list[float]], turned: bool = False) -> VoxelGrid:
    """A grid centred at (2, -3, 1) mm, with given steps (rows) along its axes."""
    matrix = np.eye(4)
    matrix[:3, :3] = np.array(steps_mm).T
    if turned:
        matrix[:3, :3] = exp_se3(torch.tensor([0, 0, 0, 0.4, -0.7, 1.9])).double().numpy()[:3, :3] @ matrix[:3, :3]
    matrix[:3, 3] = [2, -3, 1] - matrix[:3, :3] @ (np.array(shape) - 1) / 2
    return VoxelGrid(shape, matrix)


GRIDS = {
    "cubic": grid((36, 36, 36), [[1.5, 0, 0], [0, 1.5, 0], [0, 0, 1.5]]),
    "anisotropic": grid((70, 20, 41), [[0.5, 0, 0], [0, 2.5, 0], [0, 0, 1.1]]),
    "turned": grid((30, 37, 44), [[1.2, 0, 0], [0, 0.8, 0], [0, 0, 1.0]], turned=True),
    "mirrored": grid((30, 37, 44), [[-1.2, 0, 0], [0, 0.8, 0], [0, 0, -1.0]]),
    "axes swapped": grid((30, 37, 44), [[0, 0, -1.2], [0.8, 0, 0], [0, 1.0, 0]]),
    "sheared": grid((30, 37, 44), [[1.2, 0, 0], [0.5, 0.8, 0], [-0.2, 0.3, 1.0]]),
    "fine": grid((40, 40, 40), [[0.2, 0, 0], [0, 0.2, 0], [0, 0, 0.2]], turned=True),
    "coarse": grid((12, 12, 18), [[5.0, 0, 0], [0, 5.0, 0], [0, 0, 5.0]], turned=True),
    "few columns": grid((30, 37, 5), [[1.2, 0, 0], [0, 0.8, 0], [0, 0, 1.0]], turned=True),
    "one plane": grid((1, 60, 50), [[1.2, 0, 0], [0, 0.8, 0], [0, 0, 1.0]], turned=True),
    "one row": grid((60, 1, 50), [[1.2, 0, 0], [0, 0.8, 0], [0, 0, 1.0]]),
    "one column": grid((60, 50, 1), [[1.2, 0, 0], [0, 0.8, 0], [0, 0, 1.0]]),
}
