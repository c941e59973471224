"""Differences between the results of the kernels on a device and on the CPU, over the largest value."""

from collections.abc import Callable

import numpy as np
import torch

from benchmarks.engine_gradients import Draw, drawn, imaging, largest_difference, names, voxelizing
from benchmarks.engine_scene import cube_of_gaussians, view_of_cube
from benchmarks.engine_voxels import grid_of_cube
from radgs_core.radgs.rasterizer import rasterize
from radgs_core.radgs.voxelizer import voxelize
from radgs_core.xray.ray_march import RayMarchVolume
from radgs_core.xray.raycast import RayCastVolume

MARCHED = "integral", "by x", "by y", "by z", "by the turn about x", "by the turn about y", "by the turn about z"


def differences(device: torch.device) -> dict[str, float]:
    """Of rasterizer, voxelizer and ray march, with their gradients and derivatives."""
    march = [cube_march(place, 64, 128)().cpu() for place in (device, torch.device("cpu"))]
    return {
        **_of("image", imaging(rasterize, view_of_cube()), 2, device),
        **_of("volume", voxelizing(voxelize, grid_of_cube(64)), 1, device),
        **{f"ray march: {name}": largest_difference(a, b) for name, a, b in zip(MARCHED, *march, strict=True)},
    }


def cube_march(device: torch.device, voxels: int, pixels: int) -> Callable[[], torch.Tensor]:
    """Marches through the voxelized cube, turned a little, for an image and its derivatives (7, height, width)."""
    grid = grid_of_cube(voxels)
    values = voxelize(cube_of_gaussians(), grid).permute(2, 1, 0).contiguous().to(device)
    volume = RayMarchVolume(RayCastVolume(values, grid.T_frame_voxel))
    view = view_of_cube(pixels, turned_deg=15.0)
    return lambda: volume.line_integral_with_pose_derivatives(view, np.eye(4), np.zeros(3))


def _of(what: str, draw: Draw, twists: int, device: torch.device) -> dict[str, float]:
    there, here = (drawn(draw, cube_of_gaussians().to(place), twists) for place in (device, torch.device("cpu")))
    results = zip(names(what, twists), there, here, strict=True)
    return {name: largest_difference(value.cpu(), exact) for name, value, exact in results}
