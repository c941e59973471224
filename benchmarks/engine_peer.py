"""What the rasterizer is compared with: nanodrr, ray casting a voxel volume of the same scene."""

import numpy as np
import torch

from benchmarks.engine_rasterizing import Draw
from benchmarks.engine_scene import CUBE_MM, MARGIN_MM, STAYING, cube_of_gaussians, view_of_cube
from benchmarks.peer_rendering import Drr
from radgs_core.geometry.camera import XrayCamera
from radgs_core.radgs.gaussians import RadiativeGaussians
from radgs_core.radgs.rasterizer import rasterize
from radgs_core.radgs.voxel_grid import VoxelGrid
from radgs_core.radgs.voxelizer import voxelize
from radgs_core.xray.raycast import RayCastVolume

VOXELS = 256, 256, 133
SAMPLES_A_RAY = 150


def ray_casting(model: RadiativeGaussians, view: XrayCamera) -> Draw:
    """nanodrr on the voxels of a scene."""
    size_mm = CUBE_MM + 2 * MARGIN_MM
    T_frame_voxel = np.diag([*(size_mm / np.array(VOXELS)), 1.0])
    T_frame_voxel[:3, 3] = (T_frame_voxel.diagonal()[:3] - size_mm) / 2
    values = voxelize(model, VoxelGrid(VOXELS, T_frame_voxel))
    drr = Drr(RayCastVolume(values.permute(2, 1, 0).contiguous(), T_frame_voxel))
    return lambda poses: [drr.image(view, poses[0], SAMPLES_A_RAY)]


def peer_difference() -> float:
    """Root mean square difference of the peer's image of the cube from the rasterizer's, over the largest value."""
    model, view = cube_of_gaussians(), view_of_cube()
    with torch.no_grad():
        (image,), (peers,) = rasterize(model, [view], STAYING), ray_casting(model, view)(STAYING)
    return float((image - peers).square().mean().sqrt() / image.max())
