"""The fit against ray casting of the volume it was given, in views it never saw."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from radgs_core.geometry.camera import XrayCamera
from radgs_core.radgs.fit import fit_gaussians
from radgs_core.radgs.rasterizer import rasterize
from radgs_core.volume import Volume
from radgs_core.xray.raycast import RayCastVolume


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


def view_along(direction: tuple[float, float, float], target: np.ndarray) -> XrayCamera:
    z = np.array(direction) / np.linalg.norm(direction)
    x = np.cross([0.0, 0.0, 1.0], z)
    x /= np.linalg.norm(x)
    pose = np.eye(4)
    pose[:3, :3] = np.stack([x, np.cross(z, x), z], -1)
    pose[:3, 3] = target - 600 * z
    return XrayCamera(64, 64, [[800.0, 0, 31.5], [0, 800.0, 31.5], [0, 0, 1]], pose)


@pytest.mark.parametrize("direction", [(1, 0, 0), (0, 1, 0), (1, 1, 0.4)])
def test_projections_agree_with_ray_casting(shell: Volume, direction: tuple[float, float, float]) -> None:
    centre = shell.points_mm((np.array(shell.data.shape) - 1) / 2)
    model = fit_gaussians(shell, quiet, count=400)
    view = view_along(direction, centre)
    expected = RayCastVolume.from_volume(shell).line_integral(view, np.eye(4), 0.3)
    (image,) = rasterize(model, [view], torch.eye(4, dtype=torch.float64)[None])
    peak = float(expected.max())
    assert peak > 0.1
    psnr_db = 20 * np.log10(peak / float((image - expected).square().mean().sqrt()))
    assert psnr_db > 34


def test_same_seed_gives_the_same_fit(shell: Volume) -> None:
    first, second = (fit_gaussians(shell, quiet, count=50) for _ in range(2))
    torch.testing.assert_close(first.means_mm, second.means_mm, rtol=0, atol=0)
    torch.testing.assert_close(first.densities_per_mm, second.densities_per_mm, rtol=0, atol=0)


def test_an_empty_volume_is_refused() -> None:
    with pytest.raises(ValueError, match="zero everywhere"):
        fit_gaussians(Volume(np.zeros((4, 4, 4), np.float32), np.eye(4)), quiet)
