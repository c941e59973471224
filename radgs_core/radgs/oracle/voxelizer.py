"""Voxelizer: radiative Gaussians sampled on a regular grid, in plain torch.

    volume(x) = sum_i rho_i exp(-1/2 (x - m_i)^T A_i (x - m_i)),  A_i = (R_i S_i^2 R_i^T)^-1

in voxel indices (i, j, k), line by line along k. There the exponent is that of a normal distribution of k, given i and
j, times one of i and j: ``(k - middle)^2 / variance + distance^2``. Support and values both follow from it.
"""

import torch
from torch.utils.checkpoint import checkpoint

from radgs_core.radgs.gaussians import RadiativeGaussians
from radgs_core.radgs.oracle.projection import rotation_matrices
from radgs_core.radgs.voxel_grid import VoxelGrid

PAIRS_A_CHUNK = 4_000_000
"""Most pairs of a Gaussian and a voxel around it that are in memory at a time, unless one Gaussian alone has more."""


def voxelize(
    gaussians: RadiativeGaussians,
    grid: VoxelGrid,
    T_frame_group: torch.Tensor | None = None,
    group: torch.Tensor | None = None,
    *,
    cutoff_sigma: float,
) -> torch.Tensor:
    """Sample rigid groups of Gaussians at the voxel centres of a grid.

    Args:
        gaussians: N Gaussians, each in its group's frame, mm; their dtype (float32 or float64) is the result's.
        grid: where to sample.
        T_frame_group: (G, 4, 4) rigid pose of each group in the grid's frame, mm; if left out, one group that stays
            where it is.
        group: (N,) integer group of each Gaussian; may be left out where G is 1.
        cutoff_sigma: where a Gaussian ends, in standard deviations.

    Returns:
        (I, J, K) linear attenuation, 1/mm. Differentiable in the Gaussians' parameters and ``T_frame_group``.

    Raises:
        ValueError: ``group`` is missing although there are several groups.
    """
    dtype, device = gaussians.means_mm.dtype, gaussians.means_mm.device
    if T_frame_group is None:
        T_frame_group = torch.eye(4, dtype=torch.float64, device=device)[None]
    if group is None:
        if T_frame_group.shape[0] != 1:
            raise ValueError(f"group must be given for {T_frame_group.shape[0]} groups.")
        group = torch.zeros(len(gaussians), dtype=torch.long, device=device)
    T_voxel_frame = torch.linalg.inv(torch.tensor(grid.T_frame_voxel, device=device))
    rotation, translation = T_frame_group.double()[group, :3].split([3, 1], -1)
    mean = rotation @ gaussians.means_mm.double()[..., None] + translation
    centre = (T_voxel_frame[:3, :3] @ mean + T_voxel_frame[:3, 3:])[..., 0]
    axes = (T_voxel_frame[:3, :3] @ rotation).to(dtype) @ rotation_matrices(gaussians.quaternions)
    root = axes * gaussians.scales_mm[..., None, :]
    covariance = root @ root.transpose(-1, -2)
    volume = torch.zeros(grid.shape, dtype=dtype, device=device)
    for chunk in _chunks(centre, covariance, grid.shape, cutoff_sigma):
        # what the gradient needs of a chunk is computed anew when its turn comes
        volume = checkpoint(
            _added, volume, centre[chunk], covariance[chunk], gaussians.densities_per_mm[chunk], cutoff_sigma,
            use_reentrant=False, preserve_rng_state=False,
        )  # fmt: skip
    return volume


def _added(
    volume: torch.Tensor, centre: torch.Tensor, covariance: torch.Tensor, density: torch.Tensor, cutoff_sigma: float
) -> torch.Tensor:
    """The volume and some Gaussians."""
    dtype = covariance.dtype
    # lines: i, j
    first, size = _boxes(centre.detach(), covariance.detach(), volume.shape, cutoff_sigma)
    gaussian, number = _numbered(size[:, 0] * size[:, 1])
    i = torch.div(number, size[gaussian, 1], rounding_mode="floor")
    line = first[gaussian, :2] + torch.stack([i, number - i * size[gaussian, 1]], -1)
    offset = (line - centre[gaussian, :2]).to(dtype)
    precision = torch.linalg.inv(covariance[:, :2, :2])
    gain = (covariance[:, 2:, :2] @ precision)[:, 0]
    variance = covariance[:, 2, 2] - (gain * covariance[:, 2, :2]).sum(-1)
    distance2 = (precision[gaussian] * offset[:, :, None] * offset[:, None, :]).sum((-1, -2))
    middle = (gain[gaussian] * offset).sum(-1) + centre[gaussian, 2]
    # voxels of lines: k
    half = ((cutoff_sigma**2 - distance2.detach()) * variance.detach()[gaussian]).sqrt()  # NaN beyond the support
    begin = (middle.detach() - half).ceil().nan_to_num(1).long().clamp(min=0)
    end = (middle.detach() + half).floor().nan_to_num(0).long().clamp(max=volume.shape[2] - 1)
    pair, number = _numbered((end - begin + 1).clamp(min=0))
    along = (begin - middle).to(dtype)[pair] + number
    exponent = along.square() * (1 / variance)[gaussian][pair] + distance2[pair]
    value = density[gaussian][pair] * (-0.5 * exponent).exp()
    voxel = ((line[:, 0] * volume.shape[1] + line[:, 1]) * volume.shape[2] + begin)[pair] + number
    return volume.view(-1).index_add(0, voxel, value).view(volume.shape)


def _boxes(
    centre: torch.Tensor, covariance: torch.Tensor, shape: tuple[int, ...], cutoff_sigma: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """First voxel and size, (N, 3) integers each, of the part of the grid that holds all of a Gaussian's support."""
    half = cutoff_sigma * covariance.diagonal(dim1=-2, dim2=-1).sqrt()
    first = (centre - half).ceil().clamp(min=0)
    last = torch.minimum((centre + half).floor(), torch.tensor(shape, device=centre.device) - 1)
    size = (last - first + 1).clamp(min=0)
    return first.long(), torch.where((size > 0).all(-1, keepdim=True), size, 0).long()


def _numbered(count: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """For things of which owner n has count[n]: (P,) the owner of each, and (P,) its number among the owner's."""
    owner = torch.repeat_interleave(count)
    return owner, torch.arange(len(owner), device=count.device) - (count.cumsum(0) - count)[owner]


@torch.no_grad()
def _chunks(centre: torch.Tensor, covariance: torch.Tensor, shape: tuple[int, ...], cutoff_sigma: float) -> list[slice]:
    """Consecutive Gaussians with at most ``PAIRS_A_CHUNK`` pairs together."""
    chunks, begin, total = [], 0, 0
    for i, count in enumerate(_boxes(centre, covariance, shape, cutoff_sigma)[1].prod(-1).tolist()):
        if total and total + count > PAIRS_A_CHUNK:
            chunks.append(slice(begin, i))
            begin, total = i, 0
        total += count
    return [*chunks, slice(begin, len(centre))]
