"""Image filters of the similarity: Gaussian windows and gradients, on stacks of images."""

import math

import torch
from torch.nn.functional import conv2d

TRUNCATE_SIGMA = 3.0


def smooth(images: torch.Tensor, sigma_px: float) -> torch.Tensor:
    """Gaussian blur of images (..., H, W); zeros lie beyond the border."""
    kernel = _gaussian(sigma_px, images.dtype)
    return _convolve_columns(_convolve_rows(images, kernel), kernel)


def smooth_gradient(images: torch.Tensor, sigma_px: float) -> torch.Tensor:
    """Gradient of blurred images (..., H, W), per pixel: (..., 2, H, W), along columns (x) and rows (y)."""
    kernel = _gaussian(sigma_px, images.dtype)
    offsets = torch.arange(len(kernel), dtype=images.dtype) - len(kernel) // 2
    derivative = kernel * offsets / sigma_px**2
    along_x = _convolve_rows(_convolve_columns(images, kernel), derivative)
    along_y = _convolve_columns(_convolve_rows(images, kernel), derivative)
    return torch.stack([along_x, along_y], -3)


def kernel_radius(sigma_px: float) -> int:
    """How many pixels away a filter of this width reaches."""
    return max(1, math.ceil(TRUNCATE_SIGMA * sigma_px))


def _gaussian(sigma_px: float, dtype: torch.dtype) -> torch.Tensor:
    radius = kernel_radius(sigma_px)
    offsets = torch.arange(-radius, radius + 1, dtype=dtype)
    kernel = (-0.5 * (offsets / sigma_px) ** 2).exp()
    return kernel / kernel.sum()


def _convolve_rows(images: torch.Tensor, kernel: torch.Tensor) -> torch.Tensor:
    flat = images.reshape(-1, 1, *images.shape[-2:])
    return conv2d(flat, kernel[None, None, None, :], padding=(0, len(kernel) // 2)).reshape(images.shape)


def _convolve_columns(images: torch.Tensor, kernel: torch.Tensor) -> torch.Tensor:
    flat = images.reshape(-1, 1, *images.shape[-2:])
    return conv2d(flat, kernel[None, None, :, None], padding=(len(kernel) // 2, 0)).reshape(images.shape)
