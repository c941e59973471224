"""How the kernels see cameras: V views in one tensor, and where each view's image lies in one buffer."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from radgs_core.geometry.camera import XrayCamera
from radgs_core.kernels.rasterizer import PADDING


@dataclass(frozen=True)
class Views:
    """Views of any size.

    Attributes:
        cameras: (V, 7) float64: fx, skew, cx, fy, cy, width, height.
        offsets: (V, 2) int64: where a view's padded and plain image begin.
        sizes: (height, width) of each view.
        padded_size: floats of all padded images.
    """

    cameras: torch.Tensor
    offsets: torch.Tensor
    sizes: tuple[tuple[int, int], ...]
    padded_size: int

    @classmethod
    def of(cls, cameras: Sequence[XrayCamera], device: torch.device) -> "Views":
        """The views of some cameras, on a device."""
        rows, offsets, padded, plain = [], [], 0, 0
        for camera in cameras:
            m = camera.camera_matrix
            rows.append([m[0, 0], m[0, 1], m[0, 2], m[1, 1], m[1, 2], camera.width, camera.height])
            offsets.append([padded, plain])
            padded += camera.height * (camera.width + PADDING)
            plain += camera.height * camera.width
        return cls(
            torch.tensor(rows, dtype=torch.float64, device=device),
            torch.tensor(offsets, dtype=torch.int64, device=device),
            tuple((camera.height, camera.width) for camera in cameras),
            padded,
        )

    def split(self, flat: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """The views' images (height, width) in one flat tensor."""
        parts = flat.split([height * width for height, width in self.sizes])
        return tuple(part.view(size) for part, size in zip(parts, self.sizes, strict=True))
