"""Views and figures of the benchmark of the fit."""

import numpy as np
import pytest
import torch

from benchmarks.fit_views import VIEWS_DEG, VertebraViews
from radgs_core.radgs.fitting.view_target import ray_cast_views
from radgs_core.radgs.gaussians import RadiativeGaussians
from radgs_core.volume import Volume
from radgs_core.xray.carm import R_CARM_CT, CArm

SIGMA_MM = 4.0
BLOB = RadiativeGaussians(
    torch.tensor([[10.0, -20.0, 30.0]]),
    torch.full((1, 3), SIGMA_MM),
    torch.tensor([[1.0, 0, 0, 0]]),
    torch.tensor([0.02]),
)


@pytest.fixture(scope="module")
def views() -> VertebraViews:
    """Of one round Gaussian on voxels of 0.5 mm, fine enough to be taken for exact."""
    T_ct_voxel = np.diag([0.5, 0.5, 0.5, 1.0])
    T_ct_voxel[:3, 3] = BLOB.means_mm[0].numpy() - 16.0
    offset = (np.stack(np.indices((65, 65, 65)), -1) - 32) * 0.5
    data = 0.02 * np.exp(-0.5 * np.square(offset / SIGMA_MM).sum(-1))
    return VertebraViews.of(Volume(data.astype(np.float32), T_ct_voxel))


def test_a_true_model_is_very_like(views: VertebraViews) -> None:
    for each in views.likeness(BLOB):
        assert each.psnr_db > 55
        assert abs(each.bias) < 0.005


def test_a_wrong_density_has_its_psnr(views: VertebraViews) -> None:
    """5 % too dense: over the footprint, of radius R, the mean square of exp(-r^2 / 2 s^2) is (s / R)^2."""
    denser = RadiativeGaussians(BLOB.means_mm, BLOB.scales_mm, BLOB.quaternions, 1.05 * BLOB.densities_per_mm)
    radius = SIGMA_MM * np.sqrt(2 * np.log(50)) + 3.0
    expected_db = -20 * np.log10(0.05 * SIGMA_MM / radius)
    for each in views.likeness(denser):
        assert each.bias == pytest.approx(0.05, abs=0.005)
        assert each.psnr_db == pytest.approx(expected_db, abs=0.8)
        assert each.whole_psnr_db > each.psnr_db + 10


def test_the_fit_does_not_see_these_views() -> None:
    targets = ray_cast_views(Volume(np.ones((4, 4, 4), np.float32), np.eye(4)))
    fitted = np.array([camera.T_reference_camera[:3, 2] for group in targets for camera in group.cameras])
    for angles in VIEWS_DEG.values():
        direction = R_CARM_CT.T @ CArm().camera(*angles).T_reference_camera[:3, 2]
        assert np.degrees(np.arccos(np.abs(fitted @ direction).max())) > 12.9
