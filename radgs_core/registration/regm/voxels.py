"""RegM on voxels: reconstruction and the CT's vertebra, both voxelised, through a transformer to a rigid motion.

A vision transformer (Dosovitskiy et al., ICLR 2021) on cubes of both volumes at once. It needs no correspondence
between the Gaussians of the two.
"""

import numpy as np
import torch
from torch import nn

from radgs_core.radgs import VoxelGrid, voxelize
from radgs_core.reconstruction.gaussian_head import GaussianBatch
from radgs_core.registration.regm.motion import Motion

TYPICAL_PER_MM = 0.01
"""Attenuation of bone in excess of soft tissue: brings voxels to a size about 1."""


class VoxelRegM(nn.Module):
    """Transformer on two volumes.

    Args:
        voxels: along each side of the volumes.
        cube_mm: length of a side.
        patch: voxels along each side of the cubes that are the transformer's tokens; divides ``voxels``.
        width, depth, heads: of the transformer.
        code: numbers that RecM sums the images up in; they tell how certain the motion is.
    """

    def __init__(self, voxels: int, cube_mm: float, patch: int, width: int, depth: int, heads: int, code: int) -> None:
        super().__init__()
        T_vertebra_voxel = np.diag([cube_mm / voxels] * 3 + [1.0])
        T_vertebra_voxel[:3, 3] = -cube_mm / 2 + cube_mm / voxels / 2
        self.grid = VoxelGrid((voxels, voxels, voxels), T_vertebra_voxel)
        self.embedding = nn.Conv3d(2, width, patch, stride=patch)
        self.places = nn.Parameter(0.02 * torch.randn((voxels // patch) ** 3, width))
        layer = nn.TransformerEncoderLayer(
            width, heads, 4 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.transformer = nn.TransformerEncoder(layer, depth, enable_nested_tensor=False)
        self.motion = nn.Linear(width, 6)
        self.log_deviation = nn.Linear(width + code, 6)
        for last in (self.motion, self.log_deviation):
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    def forward(self, reconstruction: GaussianBatch, vertebra: GaussianBatch, effect: torch.Tensor) -> Motion:
        """Motions of B vertebrae from where they were expected; arguments as for `PointRegM`."""
        volumes = torch.stack(
            [torch.stack([self._volume(each, b) for each in (reconstruction, vertebra)]) for b in range(len(effect))]
        )
        tokens = self.embedding(volumes / TYPICAL_PER_MM).flatten(2).mT + self.places
        summary = self.transformer(tokens).mean(1)
        twist = torch.zeros(len(effect), 6, device=summary.device)
        deviation = self.log_deviation(torch.cat([summary, effect.to(summary.dtype)], -1))
        return Motion.of(twist, self.motion(summary).float(), deviation.float())

    def _volume(self, gaussians: GaussianBatch, number: int) -> torch.Tensor:
        return voxelize(gaussians.of(number), self.grid)
