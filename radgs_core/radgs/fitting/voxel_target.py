"""A volume of attenuation between its voxels, sampled for the fit.

Ray casting sees the volume trilinear between voxel centres, and zero beyond the outermost ones; so does this.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from scipy import ndimage

from radgs_core.radgs.voxel_grid import VoxelGrid
from radgs_core.volume import Volume

SAMPLE_SPACING_MM = 1.0
RIM_MM = 2.0
"""How far around the object samples reach: zeros there keep Gaussians from leaking out of it."""


@dataclass(frozen=True)
class VoxelTarget:
    """Samples of a volume.

    Attributes:
        grid: where they lie.
        values: (I, J, K) float32.
    """

    grid: VoxelGrid
    values: torch.Tensor

    @cached_property
    def energy(self) -> float:
        """Sum of squares; NumPy's does not depend on the number of threads."""
        return float(np.square(self.values.numpy()).sum())


def cut_to_object(attenuation: Volume) -> Volume:
    """The part of a volume that holds all of its voxels other than zero.

    Raises:
        ValueError: the volume is zero everywhere.
    """
    indices = np.argwhere(attenuation.data)
    if len(indices) == 0:
        raise ValueError("the volume to fit is zero everywhere.")
    first, last = indices.min(0), indices.max(0)
    box = tuple(slice(begin, end + 1) for begin, end in zip(first, last, strict=True))
    T_ct_voxel = attenuation.T_ct_voxel.copy()
    T_ct_voxel[:3, 3] = attenuation.points_mm(first)
    return Volume(attenuation.data[box], T_ct_voxel)


def sampled(attenuation: Volume, rng: np.random.Generator) -> VoxelTarget:
    """The volume on a grid of about `SAMPLE_SPACING_MM` along its own axes, shifted at random.

    Args:
        attenuation: cut to its object.
        rng: draws the shift.
    """
    step = SAMPLE_SPACING_MM / attenuation.spacing_mm
    rim = RIM_MM / attenuation.spacing_mm
    # the interpolation falls to zero one voxel beyond the outermost centres
    first = -1 - rim + step * rng.uniform(size=3)
    size = np.ceil((attenuation.data.shape + rim - first) / step).astype(int)
    values = ndimage.affine_transform(
        attenuation.data.astype(np.float32), step, first, tuple(size), order=1, mode="grid-constant"
    )
    T_frame_voxel = attenuation.T_ct_voxel @ np.diag([*step, 1.0])
    T_frame_voxel[:3, 3] = attenuation.points_mm(first)
    return VoxelTarget(VoxelGrid(values.shape, T_frame_voxel), torch.from_numpy(values))
