"""X-rays as networks see them: free of exposure, and free of what changes slowly across the image."""

import torch

from radgs_core.box_filter import box_mean

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
    local, _ = local_contrast(centred[:, 0], usable, window_px)
    return torch.cat([(centred / spread).clamp(-LARGEST_VALUE, LARGEST_VALUE), local[:, None], weight], 1)


def local_contrast(
    line_integral: torch.Tensor, usable: torch.Tensor, window_px: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """The line integral less its mean over a square window around each pixel, in units of its standard deviation there.

    Args:
        line_integral, usable: (B, H, W) float32, as in an `Observation`.
        window_px: odd width of the square.

    Returns:
        (B, H, W) local contrast, 0 where ``usable`` is 0, and (B, H, W) the standard deviation.
    """

    def mean_of(values: torch.Tensor) -> torch.Tensor:
        return box_mean(values, window_px, zeros_beyond=True)

    weight = usable
    # single precision: squares of what is far from 0 would leave nothing of the difference
    image = line_integral * weight
    image = (image - image.sum((1, 2), keepdim=True) / weight.sum((1, 2), keepdim=True).clamp_min(1.0)) * weight
    count = mean_of(weight).clamp_min(1e-3)
    mean = mean_of(image) / count
    variance = mean_of(image.square()) / count - mean.square()
    spread = variance.clamp_min(SMALLEST_CONTRAST**2).sqrt()
    local = ((image - mean) / spread * weight).clamp(-LARGEST_VALUE, LARGEST_VALUE)
    return local, spread
