"""One X-ray as another camera with the same source would have taken it.

Rays from one source do not change when the detector is turned, shifted or sampled differently, so a crop, a canonical
pixel size or a detector turned towards a vertebra are all a resampling of the image that was taken.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from radgs_core.geometry.camera import XrayCamera
from radgs_core.xray.observation import Observation

LEAST_USABLE = 0.5
"""A resampled pixel counts as measured if at least this share of what it was interpolated from was."""


@dataclass(frozen=True)
class Reprojection:
    """What cameras at the source of one X-ray see of it.

    Attributes:
        line_integral: (B, h, w) float32; 0 where nothing usable was measured.
        usable: (B, h, w) float32, 1 where something was measured, else 0.
    """

    line_integral: torch.Tensor
    usable: torch.Tensor


def reproject(observation: Observation, cameras: Sequence[XrayCamera]) -> Reprojection:
    """Resample an X-ray, averaging pixels first where the new ones are larger.

    Args:
        observation: the X-ray.
        cameras: B cameras of one size, in the same reference frame and with the same source; they may be turned.
    """
    taken = observation.camera
    grids, coarsest = [], 1
    for camera in cameras:
        pixels, scale = _pixels_in(taken, camera)
        grids.append(pixels)
        coarsest = max(coarsest, int(scale + 0.25))
    usable = observation.usable[None, None]
    weighted = torch.cat([observation.line_integral[None, None] * usable, usable], 1)
    if coarsest > 1:
        weighted = functional.avg_pool2d(weighted, coarsest)
    height, width = weighted.shape[-2:]
    from_corner = (torch.from_numpy(np.stack(grids)) + 0.5) / coarsest
    grid = (2 * from_corner / torch.tensor([width, height]) - 1).to(weighted.dtype)
    sampled = functional.grid_sample(
        weighted.expand(len(cameras), -1, -1, -1), grid, mode="bilinear", padding_mode="zeros", align_corners=False
    )
    weight = sampled[:, 1]
    seen = weight >= LEAST_USABLE
    return Reprojection(
        torch.where(seen, sampled[:, 0] / weight.clamp_min(LEAST_USABLE), torch.zeros_like(weight)), seen.float()
    )


def _pixels_in(taken: XrayCamera, camera: XrayCamera) -> tuple[np.ndarray, float]:
    """Where the pixels (h, w, 2) of a camera lie in the image that was taken, and how many of its pixels one spans."""
    row, column = np.mgrid[: camera.height, : camera.width].astype(np.float64)
    rotation = taken.T_camera_reference[:3, :3] @ camera.T_reference_camera[:3, :3]
    homography = taken.camera_matrix @ rotation @ np.linalg.inv(camera.camera_matrix)
    x, y, z = np.einsum("ij,j...->i...", homography, np.stack([column, row, np.ones_like(row)]))
    pixels = np.stack([x, y], -1) / z[..., None]
    return pixels, float(np.linalg.norm(pixels[0, -1] - pixels[0, 0]) / (camera.width - 1))
