"""The fit against ray casting of the volume it was given, in views it never saw, and against closed forms."""

import math

import numpy as np
import pytest
import torch
from scipy import ndimage

from radgs_core.geometry.camera import XrayCamera
from radgs_core.radgs.fitting import fit_gaussians
from radgs_core.radgs.fitting.descent import MIN_SCALE_MM
from radgs_core.radgs.fitting.view_target import ray_cast_views
from radgs_core.radgs.fitting.voxel_target import cut_to_object
from radgs_core.radgs.gaussians import RadiativeGaussians
from radgs_core.radgs.rasterizer import rasterize
from radgs_core.volume import Volume
from radgs_core.xray.raycast import RayCastVolume

COUNT = 400


def quiet(fraction: float, message: str) -> None:
    """No progress."""


@pytest.fixture(scope="module")
def shell() -> Volume:
    """A hollow ellipsoid, like cortical bone around marrow, on voxels of 0.8 x 0.8 x 2 mm, axes swapped."""
    spacing = np.array([2.0, 0.8, 0.8])
    shape = (20, 44, 48)
    points = (np.stack(np.indices(shape), -1) - (np.array(shape) - 1) / 2) * spacing
    radius = np.linalg.norm(points / [14, 12, 15], axis=-1)
    data = np.where(radius < 1, 0.002, 0.0) + np.where((radius > 0.8) & (radius < 1), 0.01, 0.0)
    data = ndimage.gaussian_filter(data, 0.4 / spacing)
    data[data < 1e-4] = 0
    T_ct_voxel = np.eye(4)
    T_ct_voxel[:3, :3] = np.array([[0, 0, 1.0], [1, 0, 0], [0, 1, 0]]) @ np.diag(spacing)
    T_ct_voxel[:3, 3] = [30.0, -40.0, 100.0]
    return Volume(data.astype(np.float32), T_ct_voxel)


@pytest.fixture(scope="module")
def shell_model(shell: Volume) -> RadiativeGaussians:
    return fit_gaussians(shell, quiet, count=COUNT)


def view_along(direction: tuple[float, float, float], target: np.ndarray) -> XrayCamera:
    z = np.array(direction) / np.linalg.norm(direction)
    x = np.cross([0.0, 0.0, 1.0], z)
    x /= np.linalg.norm(x)
    pose = np.eye(4)
    pose[:3, :3] = np.stack([x, np.cross(z, x), z], -1)
    pose[:3, 3] = target - 600 * z
    return XrayCamera(64, 64, [[800.0, 0, 31.5], [0, 800.0, 31.5], [0, 0, 1]], pose)


def mass(model: RadiativeGaussians) -> float:
    """Of all Gaussians: their integral over space, in closed form."""
    return float((model.densities_per_mm * model.scales_mm.prod(-1)).sum()) * math.sqrt(2 * math.pi) ** 3


def blob(sigmas_mm: tuple[float, float, float], sign: float) -> Volume:
    """One Gaussian on voxels of 1 mm, peak 0.02 / mm, centred at (11, 12.5, 9) mm."""
    offset = np.stack(np.indices((24, 26, 20)), -1) - [11, 12.5, 9]
    data = sign * 0.02 * np.exp(-0.5 * np.square(offset / sigmas_mm).sum(-1))
    return Volume(np.where(np.abs(data) > 1e-5, data, 0).astype(np.float32), np.eye(4))


def test_views_to_fit_show_the_object_where_it_is() -> None:
    sigmas = torch.tensor([[4.0, 3.5, 3.0]])
    exact = RadiativeGaussians(
        torch.tensor([[11, 12.5, 9]]), sigmas, torch.tensor([[1.0, 0, 0, 0]]), torch.tensor([0.02])
    )
    for views in ray_cast_views(cut_to_object(blob((4.0, 3.5, 3.0), 1.0))):
        expected = rasterize(exact, views.cameras, torch.eye(4, dtype=torch.float64)[None])
        for image, other in zip(views.images, expected, strict=True):
            torch.testing.assert_close(image, other, rtol=0, atol=0.02 * float(other.max()))


@pytest.mark.parametrize("direction", [(1, 0, 0), (0, 1, 0), (1, 1, 0.4)])
def test_projections_agree_with_ray_casting(
    shell: Volume, shell_model: RadiativeGaussians, direction: tuple[float, float, float]
) -> None:
    centre = shell.points_mm((np.array(shell.data.shape) - 1) / 2)
    view = view_along(direction, centre)
    expected = RayCastVolume.from_volume(shell).line_integral(view, np.eye(4), 0.3)
    (image,) = rasterize(shell_model, [view], torch.eye(4, dtype=torch.float64)[None])
    peak = float(expected.max())
    assert peak > 0.1
    psnr_db = 20 * np.log10(peak / float((image - expected).square().mean().sqrt()))
    assert psnr_db > 36.5


def test_mass_is_kept(shell: Volume, shell_model: RadiativeGaussians) -> None:
    assert mass(shell_model) == pytest.approx(float(shell.data.sum() * shell.spacing_mm.prod()), rel=0.01)


def test_gaussians_are_resolvable_and_stay_inside(shell: Volume, shell_model: RadiativeGaussians) -> None:
    box = shell.points_mm(np.argwhere(shell.data))
    means = shell_model.means_mm.numpy()
    assert (means >= box.min(0) - 1e-4).all() and (means <= box.max(0) + 1e-4).all()
    assert float(shell_model.scales_mm.min()) >= MIN_SCALE_MM * (1 - 1e-6)
    torch.testing.assert_close(shell_model.quaternions.norm(dim=-1), torch.ones(COUNT))


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_one_gaussian_is_found_again(sign: float) -> None:
    volume = blob((4.0, 2.0, 3.0), sign)
    model = fit_gaussians(volume, quiet, count=1)
    assert model.means_mm[0].numpy() == pytest.approx([11, 12.5, 9], abs=0.02)
    # interpolation between voxels widens by about a sixth of a squared millimetre
    assert sorted(model.scales_mm[0].square().tolist()) == pytest.approx([4 + 1 / 6, 9 + 1 / 6, 16 + 1 / 6], rel=0.03)
    assert mass(model) == pytest.approx(sign * 0.02 * 4 * 2 * 3 * math.sqrt(2 * math.pi) ** 3, rel=0.01)


def test_same_seed_gives_the_same_fit_with_any_number_of_threads(shell: Volume) -> None:
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        first = fit_gaussians(shell, quiet, count=50, seed=3)
        torch.set_num_threads(3)
        second = fit_gaussians(shell, quiet, count=50, seed=3)
    finally:
        torch.set_num_threads(threads)
    for name in ("means_mm", "scales_mm", "quaternions", "densities_per_mm"):
        torch.testing.assert_close(getattr(first, name), getattr(second, name), rtol=0, atol=0)


def test_the_unit_of_attenuation_does_not_matter(shell: Volume) -> None:
    per_mm = fit_gaussians(shell, quiet, count=20)
    # a power of two changes no digits
    other = fit_gaussians(Volume(shell.data * np.float32(1024), shell.T_ct_voxel), quiet, count=20)
    torch.testing.assert_close(other.means_mm, per_mm.means_mm, rtol=0, atol=0)
    torch.testing.assert_close(other.densities_per_mm, 1024 * per_mm.densities_per_mm, rtol=0, atol=0)


@pytest.mark.parametrize("count", [2, 17])
def test_the_count_is_respected(shell: Volume, count: int) -> None:
    assert len(fit_gaussians(shell, quiet, count=count)) == count


@pytest.mark.parametrize("extent", [(1, 1, 1), (1, 30, 30), (30, 1, 1)], ids=["voxel", "plate", "rod"])
def test_small_and_flat_objects_can_be_fitted(extent: tuple[int, int, int]) -> None:
    data = np.pad(np.full(extent, np.float32(0.02)), 4)
    model = fit_gaussians(Volume(data, np.eye(4)), quiet)
    samples_at_most = 2**3 * math.prod(extent)
    assert 1 <= len(model) <= samples_at_most / 8 + 1
    # what interpolation makes of one voxel is narrower than the narrowest Gaussian
    assert mass(model) == pytest.approx(data.sum(), rel=0.5)
    assert (model.means_mm >= 4).all()
    assert (model.means_mm <= torch.tensor(extent) + 3).all()


def test_an_empty_volume_is_refused() -> None:
    with pytest.raises(ValueError, match="zero everywhere"):
        fit_gaussians(Volume(np.zeros((4, 4, 4), np.float32), np.eye(4)), quiet)
