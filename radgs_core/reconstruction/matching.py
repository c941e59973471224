"""How well the X-ray fits what is expected at every place of a vertebra, there and a little beside it.

The body's edges are stronger than the vertebra's. So what the expected surroundings explain of the image's gradient is
taken away first, in windows; what is left is correlated with the gradient of the vertebra's rendering, moved by every
shift of a small window. Nothing is learnt here: it is what the networks are given to judge.
"""

import torch
from torch.nn import functional

from radgs_core.box_filter import block_mean, box_mean

REACH_PX = 5
"""Shifts of up to so many pixels in each direction."""
SIDE = 2 * REACH_PX + 1
SHIFTS = SIDE**2
WINDOW_PX = 13
"""Width of the windows in which surroundings explain the image."""
BLUR_PX = 0.7
CELL_PX = 4
"""Products are summed over cells of so many pixels before they are weighted."""
SPREAD_MM = 10.0
"""Standard deviation of the windows around the places."""
SMALLEST = 1e-4


def matching(
    image: torch.Tensor, around: torch.Tensor, own: torch.Tensor, places: torch.Tensor, mm: float
) -> torch.Tensor:
    """Correlations of an image with a vertebra's rendering about its places.

    Args:
        image, around: (B, H, W) of local contrast 1: the X-ray, and all that is expected but the vertebra.
        own: (B, H, W) line integrals of the vertebra.
        places: (B, K, 2) columns and rows, -1 to 1 between the borders.
        mm: length of a side.

    Returns:
        (B, 1 + K, SHIFTS): first over the whole vertebra, then about each place; by shift of the image's content
        against what is expected, row by row from -REACH_PX to REACH_PX pixels.
    """
    seen, surrounding, template = (_gradient(_blurred(x)) for x in (image, around, own))
    explained = _windowed((seen * surrounding).sum(1)) / (_windowed(surrounding.square().sum(1)) + SMALLEST)
    left = seen - explained[:, None] * surrounding
    left = left / (_windowed(seen.square().sum(1)) + SMALLEST).sqrt()[:, None]
    height, width = image.shape[1:]
    padded = functional.pad(left, [REACH_PX] * 4)
    cells = torch.stack(
        [
            block_mean((padded[:, :, y : y + height, x : x + width] * template).sum(1), CELL_PX)
            for y in range(SIDE)
            for x in range(SIDE)
        ],
        -1,
    )
    windows = _windows(places, cells.shape[1], cells.shape[2], 2 * SPREAD_MM / mm)
    sums = torch.einsum("bkhw,bhws->bks", windows, cells)
    contrast = torch.einsum("bkhw,bhw->bk", windows, block_mean(template.square().sum(1), CELL_PX))
    return sums / (contrast[..., None] + SMALLEST).sqrt()


def _windows(places: torch.Tensor, height: int, width: int, sigma: float) -> torch.Tensor:
    """(B, 1 + K, height, width) weights of cells: all alike, then bells about the places."""
    x, y = ((2 * torch.arange(n) + 1) / n - 1 for n in (width, height))
    bells = torch.exp(-0.5 * ((x - places[..., None, :1]) / sigma).square()) * torch.exp(
        -0.5 * ((y[:, None] - places[..., None, 1:]) / sigma).square()
    )
    return torch.cat([torch.ones_like(bells[:, :1]), bells], 1)


def _gradient(images: torch.Tensor) -> torch.Tensor:
    """(B, 2, H, W) differences to the right and downwards of (B, H, W), zero at the border."""
    across = functional.pad(images[:, :, 2:] - images[:, :, :-2], [1, 1])
    down = functional.pad(images[:, 2:] - images[:, :-2], [0, 0, 1, 1])
    return torch.stack([across, down], 1)


def _blurred(images: torch.Tensor) -> torch.Tensor:
    radius = round(3 * BLUR_PX)
    kernel = torch.exp(-0.5 * (torch.arange(-radius, radius + 1) / BLUR_PX).square())
    kernel = (kernel / kernel.sum()).view(1, 1, 1, -1)
    rows = functional.conv2d(images[:, None], kernel, padding=(0, radius))
    return functional.conv2d(rows, kernel.mT, padding=(radius, 0))[:, 0]


def _windowed(images: torch.Tensor) -> torch.Tensor:
    return box_mean(images, WINDOW_PX, zeros_beyond=False)
