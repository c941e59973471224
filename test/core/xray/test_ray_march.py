"""Marched images and derivatives against ray casting, closed forms and differences."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from test_raycast import MU, camera, grid_affine, rays

from radgs_core.errors import InputError
from radgs_core.geometry.camera import XrayCamera
from radgs_core.geometry.rigid import exp_se3_about, rotation_about
from radgs_core.volume import Volume
from radgs_core.xray.ray_march import KEPT_LAYERS, RayMarchVolume
from radgs_core.xray.raycast import RayCastVolume

CENTRE_MM = np.array([5.0, -3.0, 8.0])
SHAPE, SPACING = (30, 26, 18), (2.0, 1.6, 2.7)


def pose(*twist: float) -> NDArray[np.float64]:
    return rotation_about(np.zeros(3), np.array(twist))


def wide_camera(source_z: float) -> XrayCamera:
    """Rays up to 50 degrees off the z axis, from a source on it."""
    T_reference_camera = np.eye(4)
    T_reference_camera[2, 3] = source_z
    return XrayCamera(40, 32, np.array([[20.0, 0, 10], [0, 20, 14], [0, 0, 1]]), T_reference_camera)


VIEWS = {
    "along k": (camera(), pose(4, -6, 3, 0.05, -0.08, 0.02)),
    "along j": (camera(), pose(4, -6, 3, np.pi / 2 + 0.06, 0.03, 0.05)),
    "along i, from behind": (camera(), pose(4, -6, 3, 0.04, -np.pi / 2 + 0.1, 0.1)),
    "between i and k": (camera(), pose(4, -6, 3, 0.1, np.pi / 4, 0)),
    "between all": (camera(), pose(4, -6, 3, 0.6, 0.75, 0.3)),
    "partly beyond the border": (camera(), pose(45, 30, 3, 0.1, 0.2, 0.3)),
    "source between two faces": (wide_camera(-10.0), pose(40, 5, 0, 0.05, -0.08, 0.02)),
}
each_view = pytest.mark.parametrize(("view", "T_reference_ct"), VIEWS.values(), ids=VIEWS)


def structured(shape: tuple[int, int, int] = SHAPE) -> RayCastVolume:
    """Structures of a few voxels, cut abruptly at the volume's faces."""
    noise = gaussian_filter(np.random.default_rng(0).normal(size=shape), 2.5)
    return RayCastVolume.from_volume(Volume(MU * (1 + noise / noise.std() / 3), grid_affine(SPACING, shape)))


def faded(volume: RayCastVolume) -> RayCastVolume:
    """The same, falling smoothly to zero towards the faces: finite differences are blind to edges of one voxel."""
    windows = [torch.sin(torch.pi * (torch.arange(n) + 0.5) / n).square() for n in volume.values.shape]
    return RayCastVolume(volume.values * torch.einsum("i,j,k->ijk", *windows), volume.T_ct_voxel)


def march(volume: RayCastVolume, view: XrayCamera, T_reference_ct: NDArray[np.float64]) -> torch.Tensor:
    return RayMarchVolume(volume).line_integral_with_pose_derivatives(view, T_reference_ct, CENTRE_MM)


def differences(
    image: Callable[[NDArray[np.float64]], torch.Tensor], T_reference_ct: NDArray[np.float64], step_mm: float
) -> torch.Tensor:
    """(6, H, W) central differences by twists about CENTRE_MM that move the volume by about ``step_mm``."""
    result = []
    for twist in np.diag(step_mm * np.array([1, 1, 1, 1 / 25, 1 / 25, 1 / 25])):
        motions = exp_se3_about(torch.as_tensor(np.stack([twist, -twist])), torch.as_tensor(CENTRE_MM)).numpy()
        ahead, behind = (image(motion @ T_reference_ct) for motion in motions)
        result.append((ahead - behind) / (2 * twist.max()))
    return torch.stack(result)


@each_view
def test_image_is_that_of_ray_casting(view: XrayCamera, T_reference_ct: NDArray[np.float64]) -> None:
    image = march(structured(), view, T_reference_ct)[0]
    expected = structured().line_integral(view, T_reference_ct, step_mm=0.1)
    assert expected.max() > 0.5
    assert (image - expected).abs().max() < 0.004 * expected.max()


@each_view
def test_derivatives_are_those_of_ray_casting(view: XrayCamera, T_reference_ct: NDArray[np.float64]) -> None:
    volume = faded(structured())
    expected = differences(lambda moved: volume.line_integral(view, moved, step_mm=0.2), T_reference_ct, 0.2)
    error = march(volume, view, T_reference_ct)[1:] - expected
    # what is left are kinks of the interpolation, where the derivative jumps
    assert (error.square().sum((1, 2)) < 0.04**2 * expected.square().sum((1, 2))).all()


@each_view
def test_derivatives_are_exactly_those_of_the_image(view: XrayCamera, T_reference_ct: NDArray[np.float64]) -> None:
    images = march(structured(), view, T_reference_ct)
    expected = differences(lambda moved: march(structured(), view, moved)[0], T_reference_ct, 0.01)
    error = (images[1:] - expected).abs() / expected.abs().amax((1, 2), keepdim=True)
    # a difference is off where a sample passes from one voxel to the next, which a few rays have
    assert error[:, images[0] > 0].quantile(0.8, 1).max() < 0.004


def test_a_box_gives_its_thickness_and_that_of_the_turned_box() -> None:
    """Within the faces, rays cross a slab: thickness / cos, and a motion along the slab changes nothing."""
    shape, spacing = (60, 44, 30), (1.0, 1.0, 1.5)
    box = RayCastVolume.from_volume(Volume(np.full(shape, MU), grid_affine(spacing, shape)))
    T_reference_ct = pose(0, 0, 0, 0.15, -0.1, 0.3)
    images = march(box, camera(), T_reference_ct)
    normal, directions = T_reference_ct[:3, 2], rays(camera())
    cosine = directions @ normal
    inside = np.s_[..., 11:18, 12:20]
    thickness = MU * shape[2] * spacing[2]
    turns = -thickness * np.cross(normal, directions) / cosine[..., None] ** 2
    expected = np.concatenate([thickness / cosine[None], np.zeros((3, *cosine.shape)), np.moveaxis(turns, -1, 0)])
    assert np.allclose(images.numpy()[inside], expected[inside], atol=1e-6)


@pytest.mark.parametrize("shift_mm", [(0, 0, -900), (500, 0, 0)], ids=["behind the source", "beside"])
def test_what_cannot_be_seen_gives_zero(shift_mm: tuple[float, float, float]) -> None:
    assert not march(structured(), camera(), pose(*shift_mm, 0.1, 0.2, 0.3)).any()


def test_the_order_and_sense_of_axes_do_not_matter() -> None:
    volume, T_reference_ct = structured(), VIEWS["between i and k"][1]
    expected = march(volume, camera(), T_reference_ct)
    swapped = RayCastVolume(volume.values.permute(1, 2, 0), volume.T_ct_voxel[:, [2, 0, 1, 3]])
    flip = np.diag([-1.0, 1, 1, 1])
    flip[0, 3] = volume.values.shape[2] - 1
    flipped = RayCastVolume(volume.values.flip(2), volume.T_ct_voxel @ flip)
    for other in (swapped, flipped):
        found = march(other, camera(), T_reference_ct)
        assert ((found - expected).abs().amax((1, 2)) < 3e-6 * expected.abs().amax((1, 2))).all()


def test_one_volume_serves_views_along_any_axis() -> None:
    volume = RayMarchVolume(structured())
    for _ in range(2):
        for view, T_reference_ct in VIEWS.values():
            images = volume.line_integral_with_pose_derivatives(view, T_reference_ct, CENTRE_MM)
            assert torch.equal(images, march(structured(), view, T_reference_ct))


def test_the_number_of_threads_changes_nothing() -> None:
    view, T_reference_ct = VIEWS["between all"]
    before = torch.get_num_threads()
    images = []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            images.append(march(structured(), view, T_reference_ct))
    finally:
        torch.set_num_threads(before)
    assert torch.equal(images[0], images[1])
    assert torch.equal(images[0], images[2])


def test_a_view_too_wide_for_any_axis_is_refused() -> None:
    view = wide_camera(-700.0)
    matrix = view.camera_matrix * [[0.1, 1, 1], [1, 0.1, 1], [1, 1, 1]]
    with pytest.raises(InputError, match="spread too far"):
        march(structured(), XrayCamera(40, 32, matrix, view.T_reference_camera), np.eye(4))


def test_a_turning_arm_leaves_few_copies_behind_and_all_images_right() -> None:
    kept = RayMarchVolume(structured())
    turns = np.radians([0, 20, 44, 60, 90])
    poses = [pose(4, -6, 3, *twist, 0.03) for turn in turns for twist in ((0.02, turn), (turn, 0.02))]
    needed = {_sampling_of(kept, turned) for turned in poses}
    assert len(needed) > KEPT_LAYERS
    for turned in [*poses, *poses]:
        again = kept.line_integral_with_pose_derivatives(camera(), turned, CENTRE_MM)
        assert torch.equal(again, march(kept.volume, camera(), turned))
        assert len(kept._layers) <= KEPT_LAYERS


def test_threads_make_a_copy_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    layered = RayMarchVolume._layered

    def slowly(volume: RayMarchVolume, axis: int, per_voxel: int) -> torch.Tensor:
        made.append(axis)
        time.sleep(0.05)
        return layered(volume, axis, per_voxel)

    monkeypatch.setattr(RayMarchVolume, "_layered", slowly)
    kept = RayMarchVolume(structured())
    with ThreadPoolExecutor(4) as threads:
        layers = list(threads.map(lambda _: kept._across(2, 1), range(4)))
    assert made == [2]
    assert all(each is layers[0] for each in layers)


def _sampling_of(kept: RayMarchVolume, turned: NDArray[np.float64]) -> tuple[int, int]:
    """Which copy a view needs."""
    kept._layers.clear()
    kept.line_integral_with_pose_derivatives(camera(), turned, CENTRE_MM)
    return next(iter(kept._layers))
