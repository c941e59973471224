import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from radgs_core.geometry.camera import XrayCamera
from radgs_core.geometry.rigid import inverse, rotation_about
from radgs_core.volume import Volume
from radgs_core.xray.raycast import RayCastVolume

MU = 0.02


def camera(width: int = 40, height: int = 32, pixel_mm: float = 3.0) -> XrayCamera:
    """1000 mm from source to detector; the reference frame's origin is 700 mm from the source."""
    pose = np.eye(4)
    pose[:3, 3] = (0, 0, -700)
    focal = 1000 / pixel_mm
    matrix = [[focal, 0, 0.4 * width], [0, focal, 0.45 * height], [0, 0, 1]]
    return XrayCamera(width, height, np.array(matrix), pose)


def rays(view: XrayCamera) -> NDArray[np.float64]:
    """Unit directions (height, width, 3) in the reference frame, from the camera's definition."""
    u, v = np.meshgrid(np.arange(view.width), np.arange(view.height))
    directions = np.stack([u, v, np.ones_like(u)], -1) @ np.linalg.inv(view.camera_matrix).T
    directions = directions @ view.T_reference_camera[:3, :3].T
    return directions / np.linalg.norm(directions, axis=-1, keepdims=True)


def grid_affine(spacing: tuple[float, float, float], shape: tuple[int, int, int]) -> NDArray[np.float64]:
    """A grid centred on the origin, its first axis to the back, its second to the right, its third to the head."""
    affine = np.eye(4)
    affine[:3, :3] = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]]) * spacing
    affine[:3, 3] = -affine[:3, :3] @ (np.array(shape) - 1) / 2
    return affine


def sphere(radius_mm: float, spacing: tuple[float, float, float]) -> RayCastVolume:
    """A ball with a smooth surface, so that voxels sample it well."""
    shape = tuple(int(2 * (radius_mm + 8) / s) for s in spacing)
    affine = grid_affine(spacing, shape)
    points = np.stack(np.indices(shape), -1) @ affine[:3, :3].T + affine[:3, 3]
    distance = np.linalg.norm(points, axis=-1)
    return RayCastVolume.from_volume(Volume(MU * np.clip((radius_mm + 2 - distance) / 4, 0, 1), affine))


def sphere_integral(view: XrayCamera, radius_mm: float, centre_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Chord of the same ball, the surface's linear ramp integrated over sharp balls."""
    offset = view.source_mm - centre_mm
    along = rays(view) @ offset
    distance2 = offset @ offset - along**2
    radii = radius_mm + np.linspace(-2, 2, 401)
    chords = 2 * np.sqrt(np.maximum(radii[:, None, None] ** 2 - distance2, 0))
    return MU * chords.mean(0)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.8, 0.8, 2.0)])
def test_a_ball_gives_its_chords(spacing: tuple[float, float, float]) -> None:
    view, offset = camera(), np.array([6.0, -4.0, 10.0])
    pose = rotation_about(np.zeros(3), np.r_[offset, 0.3, -0.5, 0.8])
    image = sphere(25.0, spacing).line_integral(view, pose).numpy()
    expected = sphere_integral(view, 25.0, offset)
    assert expected.max() > 0.9
    assert np.abs(image - expected).max() < 0.01
    assert np.abs(image - expected).mean() < 1e-3


def test_a_box_gives_its_thickness_along_oblique_rays() -> None:
    view = camera()
    shape, spacing = (60, 44, 30), (1.0, 1.0, 1.5)
    box = RayCastVolume.from_volume(Volume(np.full(shape, MU), grid_affine(spacing, shape)))
    image = box.line_integral(view, np.eye(4), step_mm=0.25).numpy()
    # within the faces the trilinear ramp of one voxel to air has the integral of half a voxel
    thickness = shape[2] * spacing[2]
    middle = np.s_[11:18, 12:20]
    expected = MU * thickness / rays(view)[..., 2]
    assert np.allclose(image[middle], expected[middle], rtol=2e-3)


def test_pixel_centres_are_integers() -> None:
    """The centroid of a small ball's shadow lies where the camera projects the ball's centre."""
    view, centre = camera(pixel_mm=2.0), np.array([3.3, -2.7, 5.0])
    pose = np.eye(4)
    pose[:3, 3] = centre
    image = sphere(8.0, (0.7, 0.7, 0.7)).line_integral(view, pose).numpy().astype(float)
    u, v = np.meshgrid(np.arange(view.width), np.arange(view.height))
    centroid = np.array([(u * image).sum(), (v * image).sum()]) / image.sum()
    assert np.abs(centroid - view.project(centre)).max() < 0.03


def test_leaving_out_pixels_beside_the_volume_changes_nothing() -> None:
    ball = sphere(12.0, (1.0, 1.0, 1.0))
    pose = np.eye(4)
    pose[:3, 3] = (30.0, 12.0, 0.0)  # partly beyond the image's border
    small = ball.line_integral(camera(), pose)
    expected = sphere_integral(camera(), 12.0, pose[:3, 3])
    assert np.abs(small.numpy() - expected).max() < 0.01
    assert (small > 0.1).any()


@pytest.mark.parametrize("shift_mm", [(0.0, 0.0, -900.0), (500.0, 0.0, 0.0)], ids=["behind the source", "beside"])
def test_what_cannot_be_seen_gives_zero(shift_mm: tuple[float, float, float]) -> None:
    pose = np.eye(4)
    pose[:3, 3] = shift_mm
    assert not sphere(12.0, (1.0, 1.0, 1.0)).line_integral(camera(), pose).any()


def test_turning_camera_and_volume_together_changes_nothing() -> None:
    view, ball = camera(), sphere(20.0, (1.0, 1.0, 2.0))
    turn = rotation_about(np.array([5.0, 6.0, 7.0]), np.array([40.0, -30.0, 20.0, 0.4, 1.1, -0.7]))
    turned = XrayCamera(view.width, view.height, view.camera_matrix, turn @ view.T_reference_camera)
    assert torch.allclose(ball.line_integral(turned, turn), ball.line_integral(view, np.eye(4)), atol=1e-4)


def test_the_order_of_axes_does_not_matter() -> None:
    rng = np.random.default_rng(0)
    values = rng.uniform(0, MU, (12, 20, 9))
    affine = grid_affine((2.0, 1.5, 3.0), values.shape)
    swapped = affine[:, [2, 0, 1, 3]]
    flipped = values[::-1]
    flip = np.diag([-1.0, 1, 1, 1])
    flip[0, 3] = values.shape[0] - 1
    expected = RayCastVolume.from_volume(Volume(values, affine)).line_integral(camera(), np.eye(4))
    for other in (Volume(values.transpose(2, 0, 1), swapped), Volume(flipped, affine @ flip)):
        image = RayCastVolume.from_volume(other).line_integral(camera(), np.eye(4))
        assert torch.allclose(image, expected, atol=1e-5)


def test_downsampling_keeps_line_integrals() -> None:
    ball = sphere(25.0, (0.8, 0.8, 2.0))
    coarse = ball.downsampled(2.0)
    assert coarse.spacing_mm == pytest.approx([1.6, 1.6, 2.0])
    fine_image, coarse_image = (volume.line_integral(camera(), np.eye(4)) for volume in (ball, coarse))
    assert (fine_image - coarse_image).abs().mean() < 2e-3
    assert coarse_image.sum().item() == pytest.approx(fine_image.sum().item(), rel=2e-3)


def test_halving_the_default_step_changes_little() -> None:
    ball = sphere(25.0, (0.8, 0.8, 2.0))
    pose = inverse(rotation_about(np.zeros(3), np.array([0, 0, 0, 0.2, 0.1, 0.4])))
    assert torch.allclose(ball.line_integral(camera(), pose), ball.line_integral(camera(), pose, 0.4), atol=2e-3)
