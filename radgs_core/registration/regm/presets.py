"""Which RegM, and how large."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from torch import nn

from radgs_core.registration.regm.images import ImageRegM
from radgs_core.registration.regm.points import PointRegM
from radgs_core.registration.regm.voxels import VoxelRegM

CUBE_MM = 96.0


@dataclass(frozen=True)
class RegMPreset:
    """Sizes.

    Attributes:
        kind: ``points``: on corresponding Gaussians; ``voxels``: a transformer on volumes; ``images``: no
            reconstruction is looked at.
        width: of the network on each Gaussian, or of the transformer.
        voxels, patch: along each side of the volumes, and of the transformer's cubes.
        depth, heads: of the transformer.
    """

    kind: Literal["points", "voxels", "images"]
    width: int
    voxels: int = 0
    patch: int = 0
    depth: int = 0
    heads: int = 0

    def network(self, code: int) -> nn.Module:
        """A new RegM for codes of so many numbers; it maps two `GaussianBatch` and (B, code) to `Motion`."""
        if self.kind == "points":
            return PointRegM(code, self.width)
        if self.kind == "images":
            return ImageRegM(code, self.width)
        return VoxelRegM(self.voxels, CUBE_MM, self.patch, self.width, self.depth, self.heads, code)


PRESETS = MappingProxyType(
    {
        "paper": RegMPreset("voxels", width=256, voxels=64, patch=8, depth=6, heads=8),
        "cpu": RegMPreset("points", width=64),
        "voxels": RegMPreset("voxels", width=96, voxels=32, patch=8, depth=3, heads=4),
        "images": RegMPreset("images", width=256),
    }
)
