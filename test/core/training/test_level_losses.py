"""Losses against closed forms and against other implementations."""

import numpy as np
import pytest
import torch
from scipy.linalg import expm
from skimage.metrics import structural_similarity

from radgs_core.geometry.rigid import rotation_about, transform_points
from radgs_core.radgs import RadiativeGaussians
from radgs_core.reconstruction import CropSize, GaussianBatch
from radgs_core.reconstruction.attention import mean_places
from radgs_core.reconstruction.crops import turned_towards
from radgs_core.registration.regm import Motion
from radgs_core.training import level_losses as losses
from radgs_core.xray.carm import CArm, biplanar_geometry

GENERATOR = torch.Generator().manual_seed(0)


def noise(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=GENERATOR)


def gaussians(count: int = 30) -> RadiativeGaussians:
    return RadiativeGaussians(
        40 * noise(count, 3) - 20, 2 + noise(count, 3), noise(count, 4), torch.full((count,), 0.01)
    )


def matrix_exponential(twist: torch.Tensor) -> np.ndarray:
    """Of the 4x4 matrix of a twist (6,)."""
    x, y, z, a, b, c = twist.double().tolist()
    return expm(np.array([[0, -c, b, x], [c, 0, -a, y], [-b, a, 0, z], [0, 0, 0, 0]]))


def test_ssim_is_scikit_images() -> None:
    images = noise(3, 40, 32).cumsum(-1) / 20
    targets = images + 0.05 * noise(3, 40, 32)
    expected = []
    for image, target in zip(images.numpy(), targets.numpy(), strict=True):
        _, local = structural_similarity(
            image, target, win_size=7, data_range=1.0, use_sample_covariance=False, full=True
        )
        expected.append(local[3:-3, 3:-3].mean())
    assert float(losses.ssim(images, targets)) == pytest.approx(np.mean(expected), abs=1e-4)
    assert float(losses.ssim(images, images)) == pytest.approx(1.0)


def test_tre_is_the_mean_distance_of_points() -> None:
    found, true = (noise(2, 6) * torch.tensor([4.0, 4, 4, 0.1, 0.1, 0.1]) for _ in range(2))
    surface = 40 * noise(2, 25, 3) - 20
    expected = [
        np.linalg.norm(
            transform_points(matrix_exponential(f), p) - transform_points(matrix_exponential(t), p), axis=1
        ).mean()
        for f, t, p in zip(found, true, surface.double().numpy(), strict=True)
    ]
    np.testing.assert_allclose(losses.tre_mm(found, true, surface), expected, rtol=1e-4)


def test_deviations_are_best_that_are_as_large_as_errors() -> None:
    twist = torch.zeros(1, 6, requires_grad=True)
    error = torch.tensor([[1.0, 2.0, 0.5, 0.02, 0.01, 0.03]])
    best, smaller, larger = (losses.unexpected(Motion(twist, factor * error), error) for factor in (1.0, 0.5, 2.0))
    assert best.shape == (1,) and best < smaller and best < larger
    deviation = error.clone().requires_grad_()
    losses.unexpected(Motion(twist, deviation), error).sum().backward()
    assert twist.grad is None and deviation.grad is not None
    torch.testing.assert_close(deviation.grad, torch.zeros(1, 6), atol=1e-5, rtol=0)


def test_attention_is_to_look_at_the_places_in_the_crop() -> None:
    places = torch.zeros(2, 2, 27, 2)
    places[..., 0] = 0.5
    places[1, :, 3:] = 1.5  # outside
    logits = torch.zeros(2, 2, 27, 8, 8, requires_grad=True)
    optimizer = torch.optim.Adam([logits], lr=0.5)
    for _ in range(60):
        attention = logits.flatten(3).softmax(-1).view_as(logits)
        optimizer.zero_grad()
        by_level = losses.attention_loss(attention, places)
        by_level.sum().backward()
        optimizer.step()
    assert by_level.shape == (2,)
    found = mean_places(attention.detach()[:, 0])
    np.testing.assert_allclose(found[0], torch.tensor([0.5, 0.0]).expand(27, 2), atol=0.05)
    np.testing.assert_allclose(found[1, 3:], 0.0, atol=1e-6)  # nobody says where to look


def test_shifts_of_places_outside_do_not_count() -> None:
    expected, places = torch.zeros(1, 2, 27, 2), torch.full((1, 2, 27, 2), 0.1)
    places[:, :, 5:] = 2.0
    shift_mm = torch.zeros(1, 2, 27, 2)
    error = losses.shift_error_mm(shift_mm, expected, places, CropSize(32, 80.0))
    assert float(error) == pytest.approx(4.0 * np.sqrt(2), rel=1e-5)


def test_reconstructions_that_are_right_cost_nothing() -> None:
    true, other = gaussians(), gaussians()
    directions = torch.tensor([[0.0, -1.0, 0.1, 0.0], [1.0, 0.05, 0.0, 0.0]])
    rng = np.random.default_rng
    assert float(losses.chamfer_mm(true, true.means_mm)) == pytest.approx(0.0, abs=0.02)
    assert float(losses.voxel_loss(true, true)) == 0.0
    assert float(losses.rendering_loss(true, true, directions, CropSize(32, 96.0), rng(0))) < 1e-5
    assert float(losses.chamfer_mm(other, true.means_mm)) > 2.0
    assert float(losses.voxel_loss(other, true)) > 0.01
    assert float(losses.rendering_loss(other, true, directions, CropSize(32, 96.0), rng(0))) > 0.01
    shift = torch.tensor([3.0, 0, 4, 0, 0, 0])
    batch = GaussianBatch(*(getattr(true, n)[None] for n in vars(true)))
    np.testing.assert_allclose(losses.displaced_mm(batch, batch, shift[None]), [5.0], rtol=1e-5)
    np.testing.assert_allclose(
        losses.moved_gaussians(true, shift).means_mm - true.means_mm, shift[:3].expand(30, 3), atol=1e-4
    )


def test_the_view_of_a_direction_is_the_crops_camera() -> None:
    camera = biplanar_geometry(CArm(), (10.0, 7.0)).views["ap"]
    pose = rotation_about(np.zeros(3), np.array([5.0, -3, 8, 0.1, -0.2, 1.3]))
    crop = CropSize(32, 96.0)
    source = np.linalg.inv(pose) @ np.r_[camera.source_mm, 1]
    distance = np.linalg.norm(source[:3])
    view = losses.view_of(np.r_[source[:3] / distance, distance / 700.0 - 1], crop.mm, crop.px)
    turned = turned_towards(camera, pose, crop)
    points = 30 * np.random.default_rng(0).normal(size=(10, 3))
    np.testing.assert_allclose(view.project(points), turned.project(transform_points(pose, points)), atol=1e-6)
