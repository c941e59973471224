"""A CT grid in patient coordinates."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Volume:
    """Samples on a regular grid, placed in the CT's patient frame.

    Attributes:
        data: (I, J, K) array; Hounsfield units for CT, integers for labels.
        T_ct_voxel: (4, 4) float64 affine (not rigid: it holds the spacing): voxel indices ``(i, j, k)``, centres at
            integers, into DICOM patient coordinates LPS, mm.
    """

    data: NDArray
    T_ct_voxel: NDArray[np.float64]

    @property
    def spacing_mm(self) -> NDArray[np.float64]:
        """(3,) distance of neighbouring voxel centres along i, j, k, mm."""
        return np.linalg.norm(self.T_ct_voxel[:3, :3], axis=0)

    def points_mm(self, indices: NDArray) -> NDArray[np.float64]:
        """Voxel indices (..., 3) to CT coordinates LPS (..., 3), mm."""
        return indices @ self.T_ct_voxel[:3, :3].T + self.T_ct_voxel[:3, 3]
