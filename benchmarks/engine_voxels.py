"""What is timed of the voxelizer and of its peer: a volume with its gradients."""

from collections.abc import Callable

import numpy as np
import torch

from benchmarks.engine_scene import CUBE_MM, cube_of_gaussians
from radgs_core.radgs.gaussians import RadiativeGaussians
from radgs_core.radgs.voxel_grid import VoxelGrid
from radgs_core.radgs.voxelizer import DEFAULT_CUTOFF_SIGMA

VOXELS = 128
CPU = torch.device("cpu")
Voxelize = Callable[..., torch.Tensor]


def grid_of_cube(voxels: int) -> VoxelGrid:
    """So many voxels along each side of the cube."""
    T_frame_voxel = np.diag([*[CUBE_MM / voxels] * 3, 1.0])
    T_frame_voxel[:3, 3] = (CUBE_MM / voxels - CUBE_MM) / 2
    return VoxelGrid((voxels, voxels, voxels), T_frame_voxel)


def volume_and_gradients(voxelizer: Voxelize, device: torch.device = CPU) -> Callable[[], object]:
    """Voxelizes the cube, and takes the gradients of a weighting of the voxels to all parameters."""
    model, grid = cube_of_gaussians().to(device), grid_of_cube(VOXELS)
    parameters = (model.means_mm, model.scales_mm, model.quaternions, model.densities_per_mm)
    inputs = [x.detach().requires_grad_() for x in parameters]
    weights = torch.randn(grid.shape, generator=torch.Generator().manual_seed(0)).to(device)

    def call() -> None:
        volume = voxelizer(RadiativeGaussians(*inputs), grid, cutoff_sigma=DEFAULT_CUTOFF_SIGMA)
        torch.autograd.grad(volume, inputs, weights)

    return call
