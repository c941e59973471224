"""What the engine's benchmarks draw: Gaussians all over a cube, which just fits the view."""

import numpy as np
import torch

from radgs_core.geometry.camera import XrayCamera
from radgs_core.radgs.gaussians import RadiativeGaussians

CUBE_MM = 100.0
SCALES_MM = 0.7, 3.0
DISTANCE_MM = 700.0
"""From the X-ray source to the middle of the cube."""
MARGIN_MM = 4 * SCALES_MM[1]
"""How far Gaussians reach beyond the cube."""
GAUSSIANS = 5000
PIXELS = 256
STAYING = torch.eye(4, dtype=torch.float64)[None]


def cube_of_gaussians(count: int = GAUSSIANS) -> RadiativeGaussians:
    """Gaussians with uniform centres, scales and directions; the same for the same count."""
    generator = torch.Generator().manual_seed(count)
    smallest, largest = SCALES_MM
    return RadiativeGaussians(
        CUBE_MM * (torch.rand(count, 3, generator=generator) - 0.5),
        smallest + (largest - smallest) * torch.rand(count, 3, generator=generator),
        torch.randn(count, 4, generator=generator),
        0.05 * torch.rand(count, generator=generator),
    )


def view_of_cube(pixels: int = PIXELS, turned_deg: float = 0.0) -> XrayCamera:
    """A square view that just holds the cube and all of its Gaussians; turned about the cube's middle."""
    half_mm = CUBE_MM / 2 + MARGIN_MM
    focal_px = pixels * (DISTANCE_MM - half_mm) / (2 * half_mm)
    centre_px = (pixels - 1) / 2
    angle = np.deg2rad(turned_deg)
    pose = np.eye(4)
    pose[:3, 0], pose[:3, 2] = (np.cos(angle), 0, -np.sin(angle)), (np.sin(angle), 0, np.cos(angle))
    pose[:3, 3] = -DISTANCE_MM * pose[:3, 2]
    matrix = np.array([[focal_px, 0, centre_px], [0, focal_px, centre_px], [0, 0, 1]])
    return XrayCamera(pixels, pixels, matrix, pose)
