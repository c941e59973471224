"""Errors of the engine against the oracle in float64: the largest difference over the largest exact value."""

import torch

from benchmarks.engine_gradients import WIDE_SIGMA, Draw, drawn, imaging, largest_difference, names, voxelizing
from benchmarks.engine_scene import STAYING, cube_of_gaussians, view_of_cube
from benchmarks.engine_voxels import grid_of_cube
from radgs_core.radgs.gaussians import RadiativeGaussians
from radgs_core.radgs.oracle import rasterizer as exact_rasterizer
from radgs_core.radgs.oracle import voxelizer as exact_voxelizer
from radgs_core.radgs.rasterizer import rasterize
from radgs_core.radgs.voxelizer import voxelize

CUTOFFS_SIGMA = 3.0, 3.25, 3.5, 3.75, 4.0, 4.25, 4.5, 5.0
AT_ONCE = 200
"""Gaussians that the oracle holds in memory with all that its gradients need."""
VOXELS = 64


def image_errors() -> dict[str, float]:
    """Of the image and its gradients by all inputs, nothing cut off."""
    view = view_of_cube()
    return _errors("image", imaging(rasterize, view), imaging(exact_rasterizer.rasterize, view), twists=2)


def volume_errors() -> dict[str, float]:
    """Of voxels all over the cube and their gradients, nothing cut off."""
    grid = grid_of_cube(VOXELS)
    return _errors("volume", voxelizing(voxelize, grid), voxelizing(exact_voxelizer.voxelize, grid), twists=1)


def exact_image() -> torch.Tensor:
    """Of the cube, nothing cut off."""
    with torch.no_grad():
        parts = [
            exact_rasterizer.rasterize(part, [view_of_cube()], STAYING, cutoff_sigma=WIDE_SIGMA)[0]
            for part in _exact_parts(cube_of_gaussians())
        ]
    return torch.stack(parts).sum(0)


def cutoff_errors(exact: torch.Tensor) -> dict[float, float]:
    """Of the image, by cut-off in standard deviations."""
    model, view = cube_of_gaussians(), view_of_cube()
    return {
        cutoff: largest_difference(rasterize(model, [view], STAYING, cutoff_sigma=cutoff)[0], exact)
        for cutoff in CUTOFFS_SIGMA
    }


def _errors(what: str, found: Draw, exact: Draw, twists: int) -> dict[str, float]:
    model = cube_of_gaussians()
    # the oracle takes some Gaussians at a time: what they draw adds up
    parts = list(zip(*(drawn(exact, part, twists) for part in _exact_parts(model)), strict=True))
    expected = [torch.cat(part) if 1 <= i <= 4 else torch.stack(part).sum(0) for i, part in enumerate(parts)]
    results = zip(names(what, twists), drawn(found, model, twists), expected, strict=True)
    return {name: largest_difference(value, wanted) for name, value, wanted in results}


def _exact_parts(model: RadiativeGaussians) -> list[RadiativeGaussians]:
    parameters = (model.means_mm, model.scales_mm, model.quaternions, model.densities_per_mm)
    parts = zip(*(x.double().split(AT_ONCE) for x in parameters), strict=True)
    return [RadiativeGaussians(*part) for part in parts]
