"""The filters in plain torch, at any precision, for tests."""

import math

import torch
from torch.nn.functional import conv2d


def smooth(images: torch.Tensor, sigma_px: float) -> torch.Tensor:
    """Gaussian blur of images (..., H, W); zeros lie beyond the border."""
    blur, _ = _kernels(sigma_px, images.dtype)
    return _along_y(_along_x(images, blur), blur)


def smooth_gradient(images: torch.Tensor, sigma_px: float) -> torch.Tensor:
    """Gradient of blurred images (..., H, W), per pixel: (..., 2, H, W), along columns (x) and rows (y)."""
    blur, derivative = _kernels(sigma_px, images.dtype)
    along_x = _along_x(_along_y(images, blur), derivative)
    along_y = _along_y(_along_x(images, blur), derivative)
    return torch.stack([along_x, along_y], -3)


def kernel_radius(sigma_px: float) -> int:
    """Three standard deviations, and at least a pixel."""
    return max(1, math.ceil(3 * sigma_px))


def _kernels(sigma_px: float, dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor]:
    radius = kernel_radius(sigma_px)
    offsets = torch.arange(-radius, radius + 1, dtype=dtype)
    kernel = (-0.5 * (offsets / sigma_px) ** 2).exp()
    kernel = kernel / kernel.sum()
    return kernel, kernel * offsets / sigma_px**2


def _along_x(images: torch.Tensor, kernel: torch.Tensor) -> torch.Tensor:
    flat = images.reshape(-1, 1, *images.shape[-2:])
    return conv2d(flat, kernel[None, None, None, :], padding=(0, len(kernel) // 2)).reshape(images.shape)


def _along_y(images: torch.Tensor, kernel: torch.Tensor) -> torch.Tensor:
    flat = images.reshape(-1, 1, *images.shape[-2:])
    return conv2d(flat, kernel[None, None, :, None], padding=(len(kernel) // 2, 0)).reshape(images.shape)
