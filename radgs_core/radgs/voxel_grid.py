"""Where the samples of a volume lie."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class VoxelGrid:
    """A regular grid, however it is spaced, turned or mirrored in its frame.

    Attributes:
        shape: (I, J, K) numbers of voxels.
        T_frame_voxel: (4, 4) float64 affine (not rigid: it holds the spacing): voxel indices ``(i, j, k)``, centres at
            integers, into the frame, mm.

    Raises:
        ValueError: not three sizes of at least 1, or a matrix that is not 4x4, not affine or not invertible.
    """

    shape: tuple[int, int, int]
    T_frame_voxel: NDArray[np.float64]

    def __post_init__(self) -> None:
        if len(self.shape) != 3 or min(self.shape) < 1:
            raise ValueError(f"shape must be three sizes of at least 1, but is {tuple(self.shape)}.")
        matrix = np.array(self.T_frame_voxel, dtype=np.float64)
        if matrix.shape != (4, 4) or not np.isfinite(matrix).all() or not np.array_equal(matrix[3], [0, 0, 0, 1]):
            raise ValueError("T_frame_voxel must be a finite 4x4 matrix whose last row is 0 0 0 1.")
        if np.linalg.matrix_rank(matrix[:3, :3]) < 3:
            raise ValueError(
                "T_frame_voxel is singular: its columns must be three independent steps from voxel to voxel."
            )
        matrix.flags.writeable = False
        object.__setattr__(self, "shape", (int(self.shape[0]), int(self.shape[1]), int(self.shape[2])))
        object.__setattr__(self, "T_frame_voxel", matrix)
