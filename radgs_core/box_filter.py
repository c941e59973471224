"""Means over square windows around every pixel of small images, as two matrix products."""

from functools import lru_cache

import torch


def box_mean(images: torch.Tensor, width: int, *, zeros_beyond: bool) -> torch.Tensor:
    """Means over windows of an odd width.

    Args:
        images: (..., H, W) float32, of up to a few hundred pixels along each side.
        width: of the windows, pixels; odd.
        zeros_beyond: whether zeros beyond the border count, or only what lies in the image.

    Returns:
        (..., H, W).

    Raises:
        ValueError: an even width, whose windows have no middle.
    """
    if width % 2 == 0:
        raise ValueError(f"windows have an odd width, not {width}.")
    rows, columns = (_band(size, width, zeros_beyond, images.device) for size in images.shape[-2:])
    return rows @ images @ columns.mT


def block_mean(images: torch.Tensor, size: int) -> torch.Tensor:
    """Means (..., H // size, W // size) over blocks of pixels of images (..., H, W); the last rows and columns are left
    out where they fill no block."""
    rows, columns = (_blocks(length, size, images.device) for length in images.shape[-2:])
    return rows @ images @ columns.mT


# A stack of crops asks for the same few windows again and again. What is made in inference would be of no use in
# training, so it is made outside of inference always.
@lru_cache(maxsize=64)
@torch.inference_mode(mode=False)
def _band(size: int, width: int, zeros_beyond: bool, device: torch.device) -> torch.Tensor:
    """(size, size) weights of each pixel's window."""
    place = torch.arange(size)
    inside = ((place - place[:, None]).abs() <= width // 2).float()
    return (inside / (width if zeros_beyond else inside.sum(1, keepdim=True))).to(device)


@lru_cache(maxsize=64)
@torch.inference_mode(mode=False)
def _blocks(length: int, size: int, device: torch.device) -> torch.Tensor:
    """(length / size, length) weights of the pixels of each block."""
    return (torch.arange(length) // size == torch.arange(length // size)[:, None]).float().to(device) / size
