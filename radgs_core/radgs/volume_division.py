"""Into how many tasks the voxelizer's work is cut; `radgs_core/kernels/voxelizer_tasks.h` says what a task does."""

from dataclasses import dataclass

import torch

CACHED_FLOATS = 1 << 18
"""Size of the slabs of planes in which the CPU works: 1 MB stays in a core's cache."""


@dataclass(frozen=True)
class VolumeDivision:
    """Sizes and numbers of tasks.

    Attributes:
        placing_block: Gaussians that a task takes to voxel coordinates; a multiple of 16 on the CPU.
        gradient_block: Gaussians that a task takes from moments to gradients; for each such block there are sums of
            gradients by all poses in memory.
        drawing_shares, drawing_slabs: of the Gaussians and of the planes, when drawing.
        adjoint_shares: of the Gaussians, when gathering moments.
        adjoint_slabs: of the planes, through which each of those tasks goes; sums depend on it, and so it must not
            depend on the number of threads.
    """

    placing_block: int
    gradient_block: int
    drawing_shares: int
    drawing_slabs: int
    adjoint_shares: int
    adjoint_slabs: int

    @classmethod
    def on(cls, device: torch.device, count: int, shape: tuple[int, int, int]) -> "VolumeDivision":
        """What suits a device: on CUDA thousands of small tasks, on the CPU as many as torch uses threads."""
        planes, rows, columns = shape
        if device.type == "cuda":
            return cls(1, 16, count, planes, count, 1)
        threads = torch.get_num_threads()
        slabs = -(-planes // max(1, CACHED_FLOATS // (rows * columns)))
        return cls(256, 256, 1, max(slabs, threads), threads, slabs)
