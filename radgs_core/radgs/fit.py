"""Fit of radiative Gaussians to a volume of attenuation.

The target is the volume as ray casting sees it: trilinear between voxel centres. Cluster centres of the attenuation
give the start (each cluster's mean and covariance is a Gaussian with the right position, extent and direction, and a
linear least-squares problem gives the densities); gradient descent on all parameters against the resampled volume
does the rest.
"""

from dataclasses import dataclass, replace

import numpy as np
import scipy.ndimage
import scipy.sparse
import torch
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from radgs_core.progress import Progress
from radgs_core.radgs.gaussians import RadiativeGaussians
from radgs_core.radgs.oracle.projection import rotation_matrices
from radgs_core.volume import Volume

DEFAULT_GAUSSIANS = 1500
SAMPLE_SPACING_MM = 1.1
MIN_SCALE_MM = 0.5
"""Smallest standard deviation: narrower Gaussians would fall between the samples they are fitted to."""
SUPPORT_SIGMA = 3.5
LLOYD_ITERATIONS = 8
DESCENT_STEPS = 80
RESAMPLE_EVERY = 16


def fit_gaussians(
    attenuation: Volume, progress: Progress, *, count: int = DEFAULT_GAUSSIANS, seed: int = 0
) -> RadiativeGaussians:
    """Fit Gaussians to a volume that is zero outside of the object.

    Args:
        attenuation: linear attenuation, 1/mm; may hold negative values.
        progress: called with a fraction and a message.
        count: the number of Gaussians; fewer where the object has fewer samples.
        seed: of the clustering's start; the same seed gives the same fit.

    Returns:
        float32 Gaussians in the volume's CT frame, mm.

    Raises:
        ValueError: the volume is zero everywhere.
    """
    if not np.any(attenuation.data):
        raise ValueError("the volume to fit is zero everywhere.")
    rng = np.random.default_rng(seed)
    samples = _samples(attenuation, rng)
    covered = samples.values != 0
    start = _clusters(
        samples.points[covered], np.abs(samples.values[covered]), min(count, int(covered.sum()) // 8 + 1), rng
    )
    start = _with_least_squares_densities(start, samples)
    progress(0.15, "clustered")
    fitted = _descend(start, attenuation, rng, progress)
    return RadiativeGaussians(
        fitted.means_mm,
        fitted.scales_mm,
        torch.nn.functional.normalize(fitted.quaternions, dim=-1),
        fitted.densities_per_mm,
    )


@dataclass(frozen=True)
class _Samples:
    """Samples of the volume: (P, 3) points in the CT frame, mm, and (P,) values."""

    points: NDArray[np.float64]
    values: NDArray[np.float32]


def _samples(attenuation: Volume, rng: np.random.Generator) -> _Samples:
    """The trilinear volume on a grid of `SAMPLE_SPACING_MM`, randomly shifted, in and near the object."""
    extent = np.array(attenuation.data.shape)
    step = SAMPLE_SPACING_MM / attenuation.spacing_mm
    axes = [np.arange(-1 + s * rng.uniform(), n, s) for n, s in zip(extent, step, strict=True)]
    index = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 3)
    values = scipy.ndimage.map_coordinates(attenuation.data.astype(np.float32), index.T, order=1, mode="grid-constant")
    # a rim of zeros around the object keeps Gaussians from leaking out of it
    points = attenuation.points_mm(index)
    reach = 3 * SAMPLE_SPACING_MM
    near = cKDTree(points[values != 0]).query(points, distance_upper_bound=reach)[0] < np.inf
    return _Samples(points[near], values[near])


def _clusters(
    points: NDArray[np.float64], weights: NDArray[np.float32], count: int, rng: np.random.Generator
) -> RadiativeGaussians:
    """Weighted k-means (Lloyd); each cluster's mean and covariance as a Gaussian of density 1."""
    # the square root spreads centres over the dim marrow as well as the bright cortex
    weights = np.sqrt(weights / weights.max()) + 1e-3
    centres = points[rng.choice(len(points), count, replace=False, p=weights / weights.sum())]
    for _ in range(LLOYD_ITERATIONS):
        nearest = cKDTree(centres).query(points)[1]
        mass = np.bincount(nearest, weights, count)
        sums = np.stack([np.bincount(nearest, weights * points[:, k], count) for k in range(3)], -1)
        filled = mass > 0
        centres[filled] = sums[filled] / mass[filled, None]
    nearest = cKDTree(centres).query(points)[1]
    mass = np.maximum(np.bincount(nearest, weights, count), 1e-12)
    offset = points - centres[nearest]
    covariance = np.empty((count, 3, 3))
    for row in range(3):
        for column in range(3):
            covariance[:, row, column] = (
                np.bincount(nearest, weights * offset[:, row] * offset[:, column], count) / mass
            )
    variance, axes = np.linalg.eigh(covariance + np.eye(3) * SAMPLE_SPACING_MM**2 / 12)
    axes *= np.sign(np.linalg.det(axes))[:, None, None]
    quaternions = Rotation.from_matrix(axes).as_quat()[:, [3, 0, 1, 2]]
    # neighbouring clusters must overlap to add up to a smooth volume
    scales = np.maximum(1.2 * np.sqrt(variance), MIN_SCALE_MM)
    return RadiativeGaussians(
        *(torch.as_tensor(a, dtype=torch.float32) for a in (centres, scales, quaternions, np.ones(count)))
    )


def _neighbours(gaussians: RadiativeGaussians, samples: _Samples) -> tuple[torch.Tensor, torch.Tensor]:
    """Pairs of a Gaussian and a sample within its support, as two (P,) index tensors ordered by Gaussian."""
    reach = SUPPORT_SIGMA * gaussians.scales_mm.detach().amax(-1).numpy()
    lists = cKDTree(samples.points).query_ball_point(gaussians.means_mm.detach().numpy(), reach)
    lengths = torch.as_tensor([len(one) for one in lists])
    return torch.repeat_interleave(torch.arange(len(lists)), lengths), torch.as_tensor(
        np.concatenate(lists).astype(np.int64)
    )


def _falloff(
    gaussians: RadiativeGaussians, points: torch.Tensor, gaussian: torch.Tensor, sample: torch.Tensor
) -> torch.Tensor:
    """(P,) values exp(-1/2 x^T A x) of Gaussians of peak 1 at sample points."""
    root = rotation_matrices(gaussians.quaternions).transpose(-1, -2) / gaussians.scales_mm[:, :, None]
    offset = points[sample] - gaussians.means_mm.index_select(0, gaussian)
    whitened = (root.index_select(0, gaussian) @ offset[:, :, None])[..., 0]
    return (-0.5 * (whitened * whitened).sum(-1)).exp()


def _with_least_squares_densities(gaussians: RadiativeGaussians, samples: _Samples) -> RadiativeGaussians:
    gaussian, sample = _neighbours(gaussians, samples)
    falloff = _falloff(gaussians, torch.as_tensor(samples.points, dtype=torch.float32), gaussian, sample)
    matrix = scipy.sparse.csr_matrix(
        (falloff.double().numpy(), (sample.numpy(), gaussian.numpy())), (len(samples.points), len(gaussians))
    )
    # the damping keeps overlapping Gaussians from growing against each other with opposite signs
    densities = scipy.sparse.linalg.lsmr(matrix, samples.values, damp=0.3, maxiter=60)[0]
    return replace(gaussians, densities_per_mm=torch.as_tensor(densities, dtype=torch.float32))


def _descend(
    start: RadiativeGaussians, attenuation: Volume, rng: np.random.Generator, progress: Progress
) -> RadiativeGaussians:
    # in units of the target's own spread, so that the learning rates suit any material
    unit = float(np.std(attenuation.data))
    means = start.means_mm.clone().requires_grad_()
    log_scales = start.scales_mm.log().requires_grad_()
    quaternions = start.quaternions.clone().requires_grad_()
    densities = (start.densities_per_mm / unit).requires_grad_()
    optimizer = torch.optim.Adam(
        [
            {"params": [means], "lr": 0.03},
            {"params": [log_scales], "lr": 0.015},
            {"params": [quaternions], "lr": 0.02},
            {"params": [densities], "lr": 0.05},
        ],
        betas=(0.9, 0.99),
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, DESCENT_STEPS)

    def current() -> RadiativeGaussians:
        return RadiativeGaussians(means, log_scales.exp().clamp(min=MIN_SCALE_MM), quaternions, densities)

    for step in range(DESCENT_STEPS):
        if step % RESAMPLE_EVERY == 0:
            # other samples each time: Gaussians must fit the volume between the samples as well
            samples = _samples(attenuation, rng)
            points, target = (
                torch.as_tensor(samples.points, dtype=torch.float32),
                torch.as_tensor(samples.values / unit),
            )
            gaussian, sample = _neighbours(current(), samples)
        gaussians = current()
        value = _falloff(gaussians, points, gaussian, sample) * densities.index_select(0, gaussian)
        loss = (torch.zeros_like(target).index_add(0, sample, value) - target).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        progress(0.15 + 0.85 * (step + 1) / DESCENT_STEPS, "fitting Gaussians")
    with torch.no_grad():
        fitted = current()
        return RadiativeGaussians(
            fitted.means_mm.clone(),
            fitted.scales_mm.clone(),
            fitted.quaternions.clone(),
            fitted.densities_per_mm * unit,
        )
