"""Gaussians and views that the tests of rasterizers share."""

import numpy as np
import torch

from radgs_core.geometry.camera import XrayCamera
from radgs_core.radgs.gaussians import RadiativeGaussians

SOURCE_MM = 500.0
IDENTITY = torch.eye(4, dtype=torch.float64)[None]


def camera(width: int = 40, height: int = 32, skew: float = 2.0) -> XrayCamera:
    """A view from ``SOURCE_MM`` before the origin; a wide angle, where perspective shows."""
    pose = np.eye(4)
    pose[2, 3] = -SOURCE_MM
    return XrayCamera(width, height, [[300.0, skew, 17.0], [0, 280.0, 18.0], [0, 0, 1]], pose)


def gaussians(count: int, dtype: torch.dtype = torch.float64) -> RadiativeGaussians:
    generator = torch.Generator().manual_seed(3)

    def uniform(*shape: int) -> torch.Tensor:
        return torch.rand(*shape, generator=generator, dtype=torch.float64)

    return RadiativeGaussians(
        60 * uniform(count, 3) - 30,
        1 + 2 * uniform(count, 3),
        uniform(count, 4) - 0.5,
        0.02 * uniform(count) - 0.004,  # some negative
    ).to(dtype)
