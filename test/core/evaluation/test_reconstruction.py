"""Quality of reconstructions against closed forms, and against a volume sampled point by point."""

import itertools
import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from phantom import CENTRES_MM, SPACING_MM, body_of
from scipy import ndimage
from scipy.spatial.transform import Rotation
from skimage.metrics import structural_similarity

from radgs_core.case import Case, Vertebra
from radgs_core.evaluation import quality_of_nothing, reconstruction, reconstruction_quality
from radgs_core.evaluation.reconstruction import SIDE, WINDOW_PER_MM, true_volume
from radgs_core.geometry.rigid import rotation_about
from radgs_core.radgs import RadiativeGaussians
from radgs_core.xray.attenuation import MU_WATER_PER_MM, excess_attenuation

POSE = rotation_about(np.array([10.0, -20.0, 5.0]), np.array([30, -12, 44, 0.4, -0.9, 0.3]))


@pytest.fixture(scope="module")
def vertebra(phantom_case: Case) -> Vertebra:
    return phantom_case.levels["L1"]


def gaussian(centre_mm: NDArray[np.float64], density_per_mm: float) -> RadiativeGaussians:
    return RadiativeGaussians(
        torch.tensor(centre_mm[None], dtype=torch.float32),
        torch.tensor([[6.0, 4.0, 5.0]]),
        torch.tensor([[1.0, 0.0, 0.0, 0.0]]),
        torch.tensor([density_per_mm]),
    )


def moved(gaussians: RadiativeGaussians, T: NDArray[np.float64]) -> RadiativeGaussians:
    """Gaussians carried along by a rigid motion, their axes too."""
    turned = Rotation.from_matrix(T[:3, :3]) * Rotation.from_quat(gaussians.quaternions.numpy()[:, [1, 2, 3, 0]])
    means = gaussians.means_mm.double().numpy() @ T[:3, :3].T + T[:3, 3]
    return RadiativeGaussians(
        torch.tensor(means, dtype=torch.float32),
        gaussians.scales_mm,
        torch.tensor(turned.as_quat()[:, [3, 0, 1, 2]], dtype=torch.float32),
        gaussians.densities_per_mm,
    )


def grid_points(vertebra: Vertebra) -> NDArray[np.float64]:
    """(SIDE, SIDE, SIDE, 3) centres of the voxels, CT coordinates, mm."""
    return np.moveaxis(np.indices((SIDE,) * 3), 0, -1) - (SIDE - 1) / 2 + vertebra.T_ct_vertebra[:3, 3]


def test_the_truth_is_the_bone_of_the_phantom(vertebra: Vertebra) -> None:
    """Bone of 500 HU in soft tissue of 40: away from surfaces nothing else can be there."""
    truth, points = true_volume(vertebra), grid_points(vertebra)
    centre = np.array(CENTRES_MM["L1"])
    # no voxel that takes part in the interpolation is farther away than one spacing along each axis
    around = [body_of(points + SPACING_MM * shift, centre) for shift in itertools.product((-1, 0, 1), repeat=3)]
    within, beside = np.all(around, axis=0), ~np.any(around, axis=0)
    assert within.sum() > 1000
    assert np.abs(truth[within] - MU_WATER_PER_MM * 0.46).max() < 2e-6
    assert not truth[beside].any()


def test_the_truth_is_interpolated_everywhere_it_is_not_zero(vertebra: Vertebra) -> None:
    whole = np.linalg.inv(vertebra.bone_hu.T_ct_voxel) @ reconstruction._grid(vertebra).T_frame_voxel
    excess = excess_attenuation(vertebra.bone_hu.data, vertebra.fill_hu.data)
    expected = ndimage.affine_transform(
        excess, whole[:3, :3], whole[:3, 3], (SIDE,) * 3, order=1, mode="grid-constant", cval=0.0
    )
    np.testing.assert_allclose(true_volume(vertebra), expected, atol=1e-7)


def test_nothing_has_the_noise_of_everything(vertebra: Vertebra) -> None:
    truth, quality = true_volume(vertebra).astype(np.float64), quality_of_nothing(vertebra)
    assert quality.psnr_db == pytest.approx(-10 * math.log10((truth**2).mean() / WINDOW_PER_MM**2), abs=1e-6)
    bone = truth != 0
    assert quality.vertebra_psnr_db == pytest.approx(
        -10 * math.log10((truth[bone] ** 2).mean() / WINDOW_PER_MM**2), abs=1e-6
    )
    assert quality.vertebra_ssim < 0.05 < 0.9 < quality.ssim


def test_gaussians_are_sampled_where_the_truth_is(vertebra: Vertebra) -> None:
    """One Gaussian, reconstructed in the reference frame, against the same figures from its closed form."""
    centre = vertebra.T_ct_vertebra[:3, 3] + [9.0, -4.0, 6.0]
    quality = reconstruction_quality(vertebra, moved(gaussian(centre, 0.008), POSE), POSE)
    offset = (grid_points(vertebra) - centre) / [6.0, 4.0, 5.0]
    volume = 0.008 * np.exp(-0.5 * (offset**2).sum(-1))
    truth = true_volume(vertebra).astype(np.float64)
    expected = 10 * math.log10(WINDOW_PER_MM**2 / ((truth - volume) ** 2).mean())
    assert quality.psnr_db == pytest.approx(expected, abs=0.01)
    ssim = structural_similarity(truth, volume, win_size=7, data_range=WINDOW_PER_MM)
    assert quality.ssim == pytest.approx(ssim, abs=1e-3)


@pytest.mark.parametrize("shift_mm", [0.0, 55.0])
def test_similarity_is_that_over_the_whole_cube(vertebra: Vertebra, shift_mm: float) -> None:
    """Also of a reconstruction that reaches over the cube's border."""
    truth = true_volume(vertebra)
    rolled = np.roll(truth, int(shift_mm), 1) + np.float32(0.001) * (np.indices(truth.shape)[0] > 120)
    quality = reconstruction._quality(truth, rolled)
    mean, similarity = structural_similarity(truth, rolled, win_size=7, data_range=WINDOW_PER_MM, full=True)
    assert quality.ssim == pytest.approx(float(mean), abs=1e-9)
    assert quality.vertebra_ssim == pytest.approx(float(similarity[truth != 0].mean()), abs=1e-9)


def test_fitted_gaussians_in_place_are_good_and_a_shift_is_not(vertebra: Vertebra) -> None:
    shift = np.eye(4)
    shift[0, 3] = 2.0
    nothing = quality_of_nothing(vertebra)
    placed, off = (
        reconstruction_quality(vertebra, moved(vertebra.gaussians, POSE @ T), POSE) for T in (np.eye(4), shift)
    )
    for figure in ("ssim", "psnr_db", "vertebra_ssim", "vertebra_psnr_db"):
        assert getattr(placed, figure) > getattr(off, figure) > getattr(nothing, figure), figure
    assert placed.ssim > 0.99
