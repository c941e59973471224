"""How close a reconstructed vertebra comes to the CT's.

Both are compared on the same voxels: ``SIDE`` of 1 mm along each axis of the CT, centred on the vertebra's centroid,
filled with the attenuation of bone in excess of the soft tissue in its place. The reconstruction is carried there by
the inverse of the true pose, so a rigid error of where it was reconstructed counts as an error. The truth is resampled
from the CT's voxels, never from Gaussians.
"""

import itertools
import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from skimage.metrics import structural_similarity

from radgs_core.case import Vertebra
from radgs_core.geometry.rigid import inverse, transform_points
from radgs_core.radgs import RadiativeGaussians, VoxelGrid, voxelize
from radgs_core.xray.attenuation import excess_attenuation

SIDE = 128
VOXEL_MM = 1.0
WINDOW_PER_MM = 0.01
"""Range of attenuation, 1/mm, that differences are measured against: what bone of 500 HU adds to soft tissue. 95 % of
the voxels of a vertebra of the example CT lie within."""
SSIM_WINDOW = 7
"""Voxels along each edge of the cube in which means, variances and covariances are taken, all weighted alike."""


@dataclass(frozen=True)
class ReconstructionQuality:
    """Of one vertebra.

    A vertebra fills a fiftieth of the cube, and where nothing is, nothing is easily reconstructed: over all voxels,
    even an empty reconstruction has an SSIM of about 0.95. Over the vertebra's own voxels it has 0.

    Attributes:
        ssim: structural similarity, mean over all voxels, 1 is perfect (Wang et al., IEEE Transactions on Image
            Processing 13(4), 2004, in three dimensions, with the constants given there).
        psnr_db: ``10 log10(WINDOW_PER_MM^2 / mean squared difference)``; infinite without a difference.
        vertebra_ssim, vertebra_psnr_db: the same over those voxels alone in which the truth differs from zero.
    """

    ssim: float
    psnr_db: float
    vertebra_ssim: float
    vertebra_psnr_db: float


def reconstruction_quality(
    vertebra: Vertebra, gaussians: RadiativeGaussians, T_reference_ct: NDArray[np.float64]
) -> ReconstructionQuality:
    """Compare Gaussians with the CT's vertebra.

    Args:
        vertebra: what should have been reconstructed.
        gaussians: the reconstruction, in the reference frame, mm.
        T_reference_ct: (4, 4) where the vertebra truly is, mm.
    """
    reconstructed = voxelize(
        gaussians.to(torch.float32), _grid(vertebra), torch.from_numpy(inverse(T_reference_ct))[None]
    )
    return _quality(true_volume(vertebra), reconstructed.numpy())


def quality_of_nothing(vertebra: Vertebra) -> ReconstructionQuality:
    """Of an empty reconstruction: what any other must be better than."""
    truth = true_volume(vertebra)
    return _quality(truth, np.zeros_like(truth))


def true_volume(vertebra: Vertebra) -> NDArray[np.float32]:
    """(SIDE, SIDE, SIDE) excess attenuation, 1/mm, of the CT's voxels, interpolated trilinearly."""
    excess = excess_attenuation(vertebra.bone_hu.data, vertebra.fill_hu.data)
    T_voxel_grid = np.linalg.inv(vertebra.bone_hu.T_ct_voxel) @ _grid(vertebra).T_frame_voxel
    # interpolated only where it is not zero: within a voxel of the bone
    bone = ndimage.find_objects((excess != 0).astype(np.uint8))[0]
    corners = np.array(list(itertools.product(*((axis.start - 1, axis.stop) for axis in bone))), np.float64)
    reached = transform_points(np.linalg.inv(T_voxel_grid).astype(np.float64), corners)
    low = np.clip(np.floor(reached.min(0)), 0, SIDE).astype(int)
    high = np.clip(np.ceil(reached.max(0)) + 1, low, SIDE).astype(int)
    volume = np.zeros((SIDE,) * 3, np.float32)
    volume[tuple(map(slice, low, high))] = ndimage.affine_transform(
        excess,
        T_voxel_grid[:3, :3],
        transform_points(T_voxel_grid, low),
        tuple(high - low),
        order=1,
        mode="grid-constant",
        cval=0.0,
    )
    return volume


def _grid(vertebra: Vertebra) -> VoxelGrid:
    T_ct_grid = np.diag([VOXEL_MM, VOXEL_MM, VOXEL_MM, 1.0])
    T_ct_grid[:3, 3] = vertebra.T_ct_vertebra[:3, 3] - VOXEL_MM * (SIDE - 1) / 2
    return VoxelGrid((SIDE,) * 3, T_ct_grid)


def _quality(truth: NDArray[np.float32], reconstructed: NDArray[np.float32]) -> ReconstructionQuality:
    similarity = _similarity(truth, reconstructed)
    inside = (slice(SSIM_WINDOW // 2, -(SSIM_WINDOW // 2)),) * 3  # windows of the others reach beyond the cube
    square, bone = np.square(truth.astype(np.float64) - reconstructed), truth != 0
    return ReconstructionQuality(
        float(similarity[inside].mean()), _psnr_db(square), float(similarity[bone].mean()), _psnr_db(square[bone])
    )


def _similarity(truth: NDArray[np.float32], reconstructed: NDArray[np.float32]) -> NDArray[np.float64]:
    """SSIM about each voxel. It is 1 where both are empty, which is nearly everywhere, and takes long to compute."""
    similarity = np.ones(truth.shape)
    filled = (truth != 0) | (reconstructed != 0)
    box = tuple(
        slice(max(0, where.start - SSIM_WINDOW), where.stop + SSIM_WINDOW)
        for where in ndimage.find_objects(filled.astype(np.uint8))[0]
    )
    similarity[box] = structural_similarity(
        truth[box], reconstructed[box], win_size=SSIM_WINDOW, data_range=WINDOW_PER_MM, full=True
    )[1]
    return similarity


def _psnr_db(square: NDArray[np.float64]) -> float:
    mean = float(square.mean())
    return 10 * math.log10(WINDOW_PER_MM**2 / mean) if mean else math.inf
