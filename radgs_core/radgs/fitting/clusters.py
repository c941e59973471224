"""Where the fit starts: weighted k-means, each cluster a Gaussian."""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from radgs_core.radgs.fitting.voxel_target import VoxelTarget
from radgs_core.radgs.gaussians import RadiativeGaussians

LLOYD_ITERATIONS = 8
SAMPLES_A_CLUSTER = 8
"""An object of fewer samples gets fewer Gaussians."""
OVERLAP = 1.2
"""Neighbouring clusters must overlap to add up to a smooth volume: what their standard deviations are multiplied by."""


def clustered(
    target: VoxelTarget, count: int, smallest_scale_mm: float, rng: np.random.Generator
) -> RadiativeGaussians:
    """Gaussians with the position, extent, direction and mass of clusters of samples.

    Args:
        target: samples of the volume, of which only those other than zero count.
        count: of Gaussians; fewer where there are few samples.
        smallest_scale_mm: no standard deviation is smaller.
        rng: draws the first centres.
    """
    values = target.values.numpy().astype(np.float64)
    T_frame_voxel = target.grid.T_frame_voxel
    indices = np.argwhere(values)
    values = values[values != 0]
    points = indices @ T_frame_voxel[:3, :3].T + T_frame_voxel[:3, 3]
    # the square root spreads centres over the dim marrow as well as the bright cortex
    weights = np.sqrt(np.abs(values) / np.abs(values).max()) + 1e-3
    count = min(count, len(points) // SAMPLES_A_CLUSTER + 1)
    centres = points[rng.choice(len(points), count, replace=False, p=weights / weights.sum())]
    for _ in range(LLOYD_ITERATIONS):
        centres = _means(points, weights, cKDTree(centres).query(points)[1], centres)
    nearest = cKDTree(centres).query(points)[1]
    covariances = _covariances(points - centres[nearest], weights, nearest, count)
    # a sample stands for a cell of the grid, which has a variance of its own
    variances, axes = np.linalg.eigh(covariances + T_frame_voxel[:3, :3] @ T_frame_voxel[:3, :3].T / 12)
    axes *= np.sign(np.linalg.det(axes))[:, None, None]
    quaternions = Rotation.from_matrix(axes).as_quat()[:, [3, 0, 1, 2]]
    scales = np.maximum(OVERLAP * np.sqrt(variances), smallest_scale_mm)
    mass = np.bincount(nearest, values, count) * abs(np.linalg.det(T_frame_voxel[:3, :3]))
    densities = mass / (math.sqrt(2 * math.pi) ** 3 * scales.prod(-1))
    return RadiativeGaussians(
        *(torch.as_tensor(a, dtype=torch.float32) for a in (centres, scales, quaternions, densities))
    )


def _means(
    points: NDArray[np.float64], weights: NDArray[np.float64], nearest: NDArray, centres: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Weighted means of the clusters; the old centre where a cluster is empty."""
    total = np.bincount(nearest, weights, len(centres))
    sums = np.stack([np.bincount(nearest, weights * points[:, k], len(centres)) for k in range(3)], -1)
    return np.where(total[:, None] > 0, sums / np.maximum(total, 1e-12)[:, None], centres)


def _covariances(
    offsets: NDArray[np.float64], weights: NDArray[np.float64], nearest: NDArray, count: int
) -> NDArray[np.float64]:
    """(count, 3, 3) weighted second moments of the clusters, zero where a cluster is empty."""
    total = np.maximum(np.bincount(nearest, weights, count), 1e-12)
    moments = [np.bincount(nearest, weights * offsets[:, i] * offsets[:, j], count) for i in range(3) for j in range(3)]
    return (np.stack(moments, -1) / total[:, None]).reshape(count, 3, 3)
