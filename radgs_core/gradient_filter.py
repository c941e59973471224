"""Image filters of the similarity: Gaussian windows and gradients, on stacks of images."""

import math
from functools import lru_cache

import torch

from radgs_core.kernels import filters as kernels
from radgs_core.kernels.engine import launch

TRUNCATE_SIGMA = 3.0


def smooth(images: torch.Tensor, sigma_px: float) -> torch.Tensor:
    """Gaussian blur of float32 images (..., H, W); zeros lie beyond the border."""
    return _filtered(images, _smoothing(sigma_px, images.device))[..., 0, :, :]


def smooth_gradient(images: torch.Tensor, sigma_px: float) -> torch.Tensor:
    """Gradient of blurred float32 images (..., H, W), per pixel: (..., 2, H, W), along columns (x) and rows (y)."""
    return _filtered(images, _differentiation(sigma_px, images.device))


def kernel_radius(sigma_px: float) -> int:
    """How many pixels away a filter of this width reaches."""
    return max(1, math.ceil(TRUNCATE_SIGMA * sigma_px))


def _gaussian(sigma_px: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Taps of the blur and of its derivative."""
    radius = kernel_radius(sigma_px)
    offsets = torch.arange(-radius, radius + 1, dtype=torch.float64)
    kernel = (-0.5 * (offsets / sigma_px) ** 2).exp()
    kernel /= kernel.sum()
    return kernel, kernel * offsets / sigma_px**2


# a stage asks for the same few filters at every iteration
@lru_cache(maxsize=64)
def _smoothing(sigma_px: float, device: torch.device) -> torch.Tensor:
    blur, _ = _gaussian(sigma_px)
    return _taps([[blur], [blur]], device)


@lru_cache(maxsize=64)
def _differentiation(sigma_px: float, device: torch.device) -> torch.Tensor:
    blur, derivative = _gaussian(sigma_px)
    return _taps([[blur, derivative], [derivative, blur]], device)


def _taps(along_y_and_x: list[list[torch.Tensor]], device: torch.device) -> torch.Tensor:
    """(2, F, taps) as the kernel wants them."""
    taps = torch.stack([torch.stack(filters) for filters in along_y_and_x]).float()
    return torch.nn.functional.pad(taps, [kernels.TAPS_PADDING] * 2).to(device)


def _filtered(images: torch.Tensor, taps: torch.Tensor) -> torch.Tensor:
    """(..., F, H, W) from images (..., H, W)."""
    if images.dtype != torch.float32:
        raise ValueError(f"the filters take float32 images, not {images.dtype}.")
    *stack, height, width = images.shape
    filters, reach = taps.shape[1], taps.shape[2] // 2 - kernels.TAPS_PADDING
    out = images.new_empty(*stack, filters, height, width)
    bands = min(height, torch.get_num_threads())
    tasks = math.prod(stack) * bands
    line = width + 2 * reach + kernels.LINE_PADDING
    scratch = images.new_empty(tasks * filters * kernels.ROWS_AT_ONCE * line)
    size = (height, width)
    arguments = [images.contiguous(), *size, taps, reach, filters, bands, scratch, out]
    launch(kernels.separable_filter, tasks, arguments, images.device)
    return out
