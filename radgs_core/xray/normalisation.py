"""X-rays as networks see them: free of exposure, and free of what changes slowly across the image."""

import torch
from torch.nn import functional

CHANNELS = 3
SMALLEST_CONTRAST = 0.02
"""Standard deviation of the line integral below which nothing is made visible any more."""
LARGEST_VALUE = 5.0


def normalised(line_integral: torch.Tensor, usable: torch.Tensor, window_px: int) -> torch.Tensor:
    """Three channels: the whole range, local contrast, and what can be used.

    Args:
        line_integral, usable: (B, H, W) float32, as in an `Observation`.
        window_px: odd width of the square in which local contrast is taken.

    Returns:
        (B, 3, H, W) float32: the line integral with mean 0 and standard deviation 1 over usable pixels, the same by the
        mean and the standard deviation of its surroundings, and ``usable``. The first two are 0 where it is 0.
    """
    weight = usable[:, None]
    total = weight.sum((2, 3), keepdim=True).clamp_min(1.0)
    image = line_integral[:, None]
    centred = (image - (image * weight).sum((2, 3), keepdim=True) / total) * weight
    spread = (centred.square().sum((2, 3), keepdim=True) / total).sqrt().clamp_min(SMALLEST_CONTRAST)
    count = _box(weight, window_px).clamp_min(1e-3)
    mean = _box(centred, window_px) / count
    variance = _box(centred.square(), window_px) / count - mean.square()
    local = (centred - mean) / variance.clamp_min(SMALLEST_CONTRAST**2).sqrt() * weight
    return torch.cat(
        [(centred / spread).clamp(-LARGEST_VALUE, LARGEST_VALUE), local.clamp(-LARGEST_VALUE, LARGEST_VALUE), weight], 1
    )


def _box(image: torch.Tensor, window_px: int) -> torch.Tensor:
    """Mean over a square window; zeros lie beyond the image."""
    rows = functional.avg_pool2d(image, (1, window_px), stride=1, padding=(0, window_px // 2))
    return functional.avg_pool2d(rows, (window_px, 1), stride=1, padding=(window_px // 2, 0))
