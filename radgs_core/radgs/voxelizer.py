"""Voxelizer: radiative Gaussians sampled on a regular grid, by the kernels.

The formula stands in `radgs_core.radgs.oracle.voxelizer`, which does the same in plain torch.
"""

from typing import Any

import numpy as np
import torch

from radgs_core.kernels import voxelizer as kernels
from radgs_core.kernels.engine import launch
from radgs_core.radgs.checks import check_cutoff, check_float32, check_shape, group_of_each
from radgs_core.radgs.gaussians import RadiativeGaussians
from radgs_core.radgs.volume_division import VolumeDivision
from radgs_core.radgs.voxel_grid import VoxelGrid

DEFAULT_CUTOFF_SIGMA = 4.25
"""Where a Gaussian ends: volumes of overlapping Gaussians change by 3e-4 of their maximum, at 4 sigma by 8e-4."""


def voxelize(
    gaussians: RadiativeGaussians,
    grid: VoxelGrid,
    T_frame_group: torch.Tensor | None = None,
    group: torch.Tensor | None = None,
    *,
    cutoff_sigma: float = DEFAULT_CUTOFF_SIGMA,
) -> torch.Tensor:
    """Sample rigid groups of Gaussians at the voxel centres of a grid.

    On the CPU the result does not depend on the number of threads; on CUDA sums of float32 have no fixed order.

    Args:
        gaussians: N Gaussians, each in its group's frame, mm; float32, on the device to compute on.
        grid: where to sample.
        T_frame_group: (G, 4, 4) rigid pose of each group in the grid's frame, mm; if left out, one group that stays
            where it is.
        group: (N,) integer group of each Gaussian, 0..G - 1; may be left out where G is 1.
        cutoff_sigma: where a Gaussian ends, in standard deviations, above 0 and at most 13.

    Returns:
        (I, J, K) linear attenuation, 1/mm. Differentiable (once) in the Gaussians' parameters and ``T_frame_group``.

    Raises:
        ValueError: the Gaussians are not float32, ``group`` is missing although there are several groups,
            ``cutoff_sigma`` is out of its range, or the shape, the type or the numbers of ``group`` or of poses are not
            as above.
    """
    check_float32(gaussians, "the voxelizer")
    check_cutoff(cutoff_sigma)
    if T_frame_group is None:
        T_frame_group = torch.eye(4, dtype=torch.float64, device=gaussians.means_mm.device)[None]
    check_shape("T_frame_group", T_frame_group, (*T_frame_group.shape[:1], 4, 4))
    group = group_of_each(gaussians, len(T_frame_group), group)
    volume: torch.Tensor = _Voxelize.apply(
        gaussians.means_mm,
        gaussians.scales_mm,
        gaussians.quaternions,
        gaussians.densities_per_mm,
        T_frame_group.double()[:, :3],
        group,
        grid,
        cutoff_sigma,
    )
    return volume


class _Voxelize(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        means: torch.Tensor,
        scales: torch.Tensor,
        quaternions: torch.Tensor,
        densities: torch.Tensor,
        T_frame_group: torch.Tensor,
        group: torch.Tensor,
        grid: VoxelGrid,
        cutoff: float,
    ) -> torch.Tensor:
        gaussians = [x.contiguous() for x in (means, scales, quaternions, densities, group, T_frame_group)]
        count, device = len(means), means.device
        planes, rows, columns = grid.shape
        shape = (planes, rows, max(columns, kernels.MIN_COLUMNS))
        transforms = np.stack([grid.T_frame_voxel, np.linalg.inv(grid.T_frame_voxel)])[:, :3]
        place = [torch.tensor(transforms, device=device), *shape]
        cut = VolumeDivision.on(device, count, shape)
        ellipsoids = torch.empty(count, kernels.ELLIPSOID_SIZE, device=device)
        block = cut.placing_block
        launch(kernels.place, -(-count // block), [*gaussians, count, block, *place, cutoff, ellipsoids], device)
        volume = torch.zeros(shape, device=device)
        shares, slabs = cut.drawing_shares, cut.drawing_slabs
        launch(kernels.draw, shares * slabs, [ellipsoids, count, shares, slabs, *place, cutoff, volume], device)
        ctx.save_for_backward(*gaussians, ellipsoids)
        ctx.place, ctx.missing, ctx.cutoff = place, shape[2] - columns, cutoff
        return volume[..., :columns].contiguous()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, by_volume: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        *gaussians, ellipsoids = ctx.saved_tensors
        count, groups, device = len(ellipsoids), len(gaussians[-1]), ellipsoids.device
        place = ctx.place
        cut = VolumeDivision.on(device, count, place[1:])
        if ctx.missing:
            by_volume = torch.nn.functional.pad(by_volume, (0, ctx.missing))
        moments = torch.zeros(kernels.MOMENTS, count, device=device)
        shares, slabs = cut.adjoint_shares, cut.adjoint_slabs
        launch(
            kernels.draw_adjoint,
            shares,
            [ellipsoids, count, shares, slabs, *place, ctx.cutoff, by_volume.contiguous(), moments],
            device,
        )
        block = cut.gradient_block
        blocks = -(-count // block)
        by_parameters = [torch.empty_like(x) for x in gaussians[:4]]
        by_transforms = torch.zeros(blocks, groups, 3, 4, dtype=torch.float64, device=device)
        launch(
            kernels.gradient,
            blocks,
            [*gaussians, count, block, groups, *place, moments, *by_parameters, by_transforms],
            device,
        )
        return *by_parameters, by_transforms.sum(0), None, None, None
