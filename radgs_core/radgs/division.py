"""Into how many tasks the rasterizer's work is cut; `radgs_core/kernels/rasterizer_tasks.h` says what a task does."""

from dataclasses import dataclass

import torch

from radgs_core.radgs.views import Views


@dataclass(frozen=True)
class Division:
    """Sizes and numbers of tasks.

    Attributes:
        projection_block: Gaussians that a task takes to footprints; a multiple of 16 on the CPU.
        gradient_block: Gaussians that a task takes from moments to gradients; for each such block there are sums of
            gradients by all poses in memory.
        drawing_shares, drawing_bands: of the Gaussians and of each image, when drawing.
        adjoint_shares: of the Gaussians, when gathering moments.
        row_bands, row_parts: of each image and of its rows, where rows of images are copied.
    """

    projection_block: int
    gradient_block: int
    drawing_shares: int
    drawing_bands: int
    adjoint_shares: int
    row_bands: int
    row_parts: int

    @classmethod
    def on(cls, device: torch.device, count: int, views: Views) -> "Division":
        """What suits a device: on CUDA thousands of small tasks, on the CPU as many as torch uses threads."""
        if device.type == "cuda":
            height, width = (max(sizes) for sizes in zip(*views.sizes, strict=True))
            # neighbouring tasks take neighbouring Gaussians or pixels
            return cls(1, 16, count, 1, count, height, width)
        threads = torch.get_num_threads()
        return cls(256, 256, 1, threads, threads, threads, 1)
