"""From pixels in several views to points in space."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from radgs_core.geometry.camera import XrayCamera


def nearest_points(
    cameras: Sequence[XrayCamera], pixels: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points with the least sum of squared distances from the rays through one pixel of each view.

    Between two rays that is the middle of where they pass closest. The normal equations of a ray through ``o`` along
    the unit vector ``d`` are ``(I - d d^T) x = (I - d d^T) o``.

    Args:
        cameras: V views, from different directions.
        pixels: (V, ..., 2) (column, row).

    Returns:
        Points (..., 3) in the reference frame, and the largest distance (...) of each from one of its rays, mm;
        infinite for a point behind a source.
    """
    homogeneous = np.concatenate([pixels, np.ones_like(pixels[..., :1])], -1)
    across, along, origins = [], [], []
    for camera, view in zip(cameras, homogeneous, strict=True):
        directions = view @ (camera.T_reference_camera[:3, :3] @ np.linalg.inv(camera.camera_matrix)).T
        directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
        across.append(np.eye(3) - directions[..., :, None] * directions[..., None, :])
        along.append(directions[..., None, :])
        origins.append(camera.source_mm[:, None])
    points = np.linalg.solve(sum(across), sum(a @ o for a, o in zip(across, origins, strict=True)))
    distances = [
        np.where((ray @ (points - origin))[..., 0, 0] > 0, np.linalg.norm(a @ (points - origin), axis=(-2, -1)), np.inf)
        for a, ray, origin in zip(across, along, origins, strict=True)
    ]
    return points[..., 0], np.max(distances, axis=0)
