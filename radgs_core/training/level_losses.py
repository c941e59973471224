"""What RecM and RegM are trained for.

Losses of B levels are given for each of them: their mean over exposures (`LevelBatch.mean`) is then the same whether
one process takes a batch or several share it.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from radgs_core.geometry.camera import XrayCamera
from radgs_core.geometry.rigid import exp_se3
from radgs_core.radgs import RadiativeGaussians, VoxelGrid, rasterize, voxelize
from radgs_core.reconstruction.attention import cell_places
from radgs_core.reconstruction.crops import TYPICAL_DISTANCE_MM, CropSize, upright_camera
from radgs_core.reconstruction.gaussian_head import GaussianBatch
from radgs_core.registration.regm import Motion
from radgs_core.xray.normalisation import normalised

ATTENTION_CELLS = 0.7
"""Standard deviation of where attention is to look, in cells of its maps."""
SSIM_WINDOW_PX = 7
SSIM_C1, SSIM_C2 = 0.01**2, 0.03**2
"""Constants of Wang et al., IEEE TIP 13(4), 2004, for images up to about 1."""
RASTER_PX = 48
VOXELS = 24
VOXEL_CUBE_MM = 96.0
TYPICAL_PER_MM = 0.01
COVERED_EXCESS = 0.03


def tre_mm(found: torch.Tensor, true: torch.Tensor, surface_mm: torch.Tensor) -> torch.Tensor:
    """(B,) mean distance of surface points (B, S, 3) under two twists (B, 6), mm."""
    difference = exp_se3(found) - exp_se3(true)
    return (surface_mm @ difference[:, :3, :3].mT + difference[:, None, :3, 3]).norm(dim=-1).mean(1)


def unexpected(motion: Motion, true: torch.Tensor) -> torch.Tensor:
    """(B,) negative log-likelihood of the errors under the stated deviations (Kendall and Gal, NeurIPS 2017).

    The motion itself is not trained by it.
    """
    error = ((motion.twist.detach() - true) / motion.deviation).square() / 2
    return (error.clamp_max(50.0) + motion.deviation.log()).mean(-1)


def attention_loss(attention: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """(B,) cross entropy of maps (B, 2, 27, h, w) against where places (B, 2, 27, 2) are, over those in the crop."""
    height, width = attention.shape[-2:]
    x, y = cell_places(width, attention.device), cell_places(height, attention.device)
    by_column = _bell(x, places[..., :1], 2 * ATTENTION_CELLS / width)
    by_row = _bell(y, places[..., 1:], 2 * ATTENTION_CELLS / height)
    log_attention = attention.clamp_min(1e-12).log()
    expected = torch.einsum("bvkhw,bvkh,bvkw->bvk", log_attention, by_row, by_column)
    return -_mean_inside(expected, places)


def shift_error_mm(
    shift_mm: torch.Tensor, expected: torch.Tensor, places: torch.Tensor, crop: CropSize
) -> torch.Tensor:
    """(B,) mean distance of shifts (B, 2, 27, 2) from how far places really are from expected ones, inside the crop."""
    wanted = (places - expected) * crop.mm / 2
    return _mean_inside((shift_mm - wanted).norm(dim=-1), places)


def _mean_inside(values: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """(B,) means of values (B, 2, 27) over the places that are in the crop."""
    inside = (places.abs() < 1).all(-1).to(values.dtype)
    return (values * inside).sum((1, 2)) / inside.sum((1, 2)).clamp_min(1.0)


def _bell(cells: torch.Tensor, middle: torch.Tensor, sigma: float) -> torch.Tensor:
    values = torch.exp(-0.5 * ((cells - middle) / sigma).square())
    return values / values.sum(-1, keepdim=True).clamp_min(1e-6)


def displaced_mm(reconstruction: GaussianBatch, anchors: GaussianBatch, true: torch.Tensor) -> torch.Tensor:
    """(B,) mean distance of reconstructed centres from where the true motion (B, 6) takes their anchors, the CT's;
    over those that do not only fill a set up."""
    motion = exp_se3(true)
    wanted = anchors.means_mm @ motion[:, :3, :3].mT + motion[:, None, :3, 3]
    real = anchors.real.to(wanted.dtype)
    return ((reconstruction.means_mm - wanted).norm(dim=-1) * real).sum(-1) / real.sum(-1)


def moved_gaussians(gaussians: RadiativeGaussians, twist: torch.Tensor) -> RadiativeGaussians:
    """The Gaussians after a twist (6,)."""
    device = gaussians.means_mm.device
    moved = gaussians.to(torch.device("cpu")).moved(exp_se3(twist.detach().cpu().double()).numpy())
    return moved.to(device)


def rendering_loss(
    found: RadiativeGaussians,
    true: RadiativeGaussians,
    directions: torch.Tensor,
    crop: CropSize,
    rng: np.random.Generator,
) -> torch.Tensor:
    """() L1 + (1 - SSIM) / 2 between the X-rays of two sets of Gaussians, in the crops' views and two others.

    Args:
        found, true: in the vertebra's frame.
        directions: (2, 4) of the crops, as in `Crops`.
        crop: its size in mm is used.
        rng: draws the other views.
    """
    own = directions.detach().cpu().double().numpy()
    between = own[0] + (own[1] - own[0]) * rng.uniform(0.2, 0.8, (2, 1))
    cameras = [view_of(direction, crop.mm, RASTER_PX) for direction in (*own, *between)]
    whole = torch.eye(4, dtype=torch.float64, device=found.means_mm.device)[None]
    images, targets = (torch.stack(rasterize(gaussians, cameras, whole)) for gaussians in (found, true))
    return (images - targets).abs().mean() + (1 - ssim(images, targets)) / 2


def voxel_loss(found: RadiativeGaussians, true: RadiativeGaussians) -> torch.Tensor:
    """() mean difference of two sets of Gaussians on voxels, in units of ``TYPICAL_PER_MM``."""
    spacing = VOXEL_CUBE_MM / VOXELS
    T_vertebra_voxel = np.diag([spacing, spacing, spacing, 1.0])
    T_vertebra_voxel[:3, 3] = (spacing - VOXEL_CUBE_MM) / 2
    grid = VoxelGrid((VOXELS, VOXELS, VOXELS), T_vertebra_voxel)
    return (voxelize(found, grid) - voxelize(true, grid)).abs().mean() / TYPICAL_PER_MM


def chamfer_mm(found: RadiativeGaussians, bone_mm: torch.Tensor) -> torch.Tensor:
    """() mean distance of dense Gaussians' centres from the nearest bone point (S, 3), and back.

    Bone points are the centres of the Gaussians that were fitted to the CT: clusters of its bone's voxels.
    """
    density = found.densities_per_mm.detach().clamp_min(0)
    weights = density / density.sum().clamp_min(1e-9)
    distance = torch.cdist(found.means_mm, bone_mm)
    there = (distance.amin(1) * weights).sum()
    faint = density < 0.1 * density.max()
    return there + distance.masked_fill(faint[:, None], torch.inf).amin(0).mean()


def ssim(images: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """() mean structural similarity (Wang et al., IEEE TIP 13(4), 2004) of images (V, H, W), values up to about 1."""

    def mean(x: torch.Tensor) -> torch.Tensor:
        return functional.avg_pool2d(x[:, None], SSIM_WINDOW_PX, stride=1)

    a, b = mean(images), mean(targets)
    spread_a, spread_b = mean(images.square()) - a.square(), mean(targets.square()) - b.square()
    common = mean(images * targets) - a * b
    alike = (2 * a * b + SSIM_C1) * (2 * common + SSIM_C2)
    return (alike / ((a.square() + b.square() + SSIM_C1) * (spread_a + spread_b + SSIM_C2))).mean()


def agreement(
    observed: torch.Tensor, rendered: torch.Tensor, usable: torch.Tensor, own: torch.Tensor, window_px: int
) -> torch.Tensor:
    """() mean local correlation of images over the pixels that a vertebra covers, 1 at best.

    Args:
        observed: (V, H, W) with local contrast 1, as `normalised` makes it.
        rendered: (V, H, W) line integrals of everything.
        usable: (V, H, W) 1 where something was measured.
        own: (V, H, W) line integrals of the vertebra.
        window_px: odd; the width of the windows of local contrast.
    """
    local = normalised(rendered, usable, window_px)[:, 1]
    covered = (own.detach() > COVERED_EXCESS) * usable
    return (local * observed * covered).sum() / covered.sum().clamp_min(1.0)


def view_of(direction: NDArray[np.float64], mm: float, px: int) -> XrayCamera:
    """The camera of a crop, upright on a vertebra, in the vertebra's frame (see `crops.turned_towards`).

    Args:
        direction: (4,) as in `Crops`.
        mm: length of a side at the vertebra's depth.
        px: pixels along each side.
    """
    away = direction[:3] / np.linalg.norm(direction[:3])
    return upright_camera((1 + direction[3]) * TYPICAL_DISTANCE_MM * away, np.eye(4), mm, px)
