"""Gaussian windows all over an image, on a coarser grid than the pixels'."""

import torch

from radgs_core.gradient_filter import smooth
from radgs_core.kernels import similarity as kernels
from radgs_core.kernels.engine import launch

STRIDES_A_SIGMA = 2
LANES = 16
"""How many neighbours a kernel takes at once on a CPU (lanes.h); registration runs nowhere else."""


class Windows:
    """A Gaussian window every ``stride`` pixels: neighbours that overlap so much say nearly the same.

    Pixels are summed into cells, and cells weighed by a Gaussian around each of them, so a window's values are

        gather(image) = blur(pool(image))

    Its adjoint blurs a map of windows; each pixel then takes its cell's value.

    Args:
        image_shape: (H, W).
        sigma_px: standard deviation of the windows.

    Attributes:
        image_shape: (H, W).
        stride: pixels from window to window.
        shape: (h, w) of the grid of windows; the last cells may be partly filled.
    """

    def __init__(self, image_shape: tuple[int, int], sigma_px: float) -> None:
        self.image_shape = image_shape
        self.stride = min(max(1, int(sigma_px / STRIDES_A_SIGMA)), kernels.MAX_STRIDE)
        self.shape = (-(-image_shape[0] // self.stride), -(-image_shape[1] // self.stride))
        self._sigma_cells = sigma_px / self.stride

    def pool(self, images: torch.Tensor) -> torch.Tensor:
        """Sums over cells (..., h, w) of float32 images (..., H, W). So weights of pixels become weights of windows."""
        if images.dtype != torch.float32:
            raise ValueError(f"windows take float32 images, not {images.dtype}.")
        if images.shape[-2:] != self.image_shape:
            raise ValueError(f"the windows are on images of {self.image_shape}, not {tuple(images.shape[-2:])}.")
        cells = images.new_empty(*images.shape[:-2], *self.shape)
        count = images[..., 0, 0].numel()
        arguments = [images.contiguous(), *self.image_shape, self.stride, cells]
        launch(kernels.pool, count * self.cell_tasks, arguments, images.device)
        return cells

    def blur(self, cells: torch.Tensor) -> torch.Tensor:
        """Maps (..., h, w) weighed by the Gaussian around each window; its own adjoint."""
        return smooth(cells, self._sigma_cells)

    def gather(self, images: torch.Tensor) -> torch.Tensor:
        """Sums over windows (..., h, w) of images (..., H, W)."""
        return self.blur(self.pool(images))

    @property
    def cell_tasks(self) -> int:
        """Into how many tasks a kernel cuts the cells of an image."""
        return self.shape[0] * -(-self.shape[1] // LANES)

    @property
    def pixel_tasks(self) -> int:
        """Into how many tasks a kernel cuts the pixels of an image, by rows of cells."""
        return self.shape[0] * -(-self.image_shape[1] // LANES)
