import numpy as np
import pytest
import scipy.linalg
import torch

from radgs_core.errors import InputError
from radgs_core.geometry.rigid import (
    checked_rigid,
    exp_se3,
    inverse,
    rotation_about,
    rotation_angle_deg,
    transform_points,
)

ANGLES = [0.0, 1e-9, 1e-5, 1e-3, 0.05, 0.2, 0.999, 1.001, 2.0, 3.1]


def twist_of(angle: float) -> np.ndarray:
    axis = np.array([0.6, -0.48, 0.64])
    return np.r_[30.0, -200.0, 75.0, angle * axis]


def matrix_of(twist: np.ndarray) -> np.ndarray:
    """The twist as an element of se(3), whose matrix exponential is the transform."""
    x, y, z = twist[3:]
    return np.array([[0, -z, y, twist[0]], [z, 0, -x, twist[1]], [-y, x, 0, twist[2]], [0, 0, 0, 0]])


@pytest.mark.parametrize("angle", ANGLES)
def test_exponential_equals_the_matrix_exponential(angle):
    twist = twist_of(angle)
    transform = exp_se3(torch.tensor(twist, dtype=torch.float64)).numpy()
    np.testing.assert_allclose(transform, scipy.linalg.expm(matrix_of(twist)), rtol=0, atol=1e-11)


@pytest.mark.parametrize("angle", ANGLES)
def test_exponential_in_float32_keeps_its_digits_in_value_and_gradient(angle):
    results = {}
    for dtype in (torch.float32, torch.float64):
        twist = torch.tensor(twist_of(angle), dtype=dtype, requires_grad=True)
        point = exp_se3(twist)[:3, 3]
        (gradient,) = torch.autograd.grad(point.sum(), twist)
        results[dtype] = (point.detach().double(), gradient.double())
    point, gradient = results[torch.float32]
    exact_point, exact_gradient = results[torch.float64]
    torch.testing.assert_close(point, exact_point, rtol=0, atol=1e-4)
    torch.testing.assert_close(gradient, exact_gradient, rtol=2e-6, atol=2e-4)


@pytest.mark.parametrize("angle", [0.0, 1e-3, 0.999, 1.001])
def test_exponential_passes_gradcheck(angle):
    twist = torch.tensor(np.stack([twist_of(angle), twist_of(angle + 0.3)]), requires_grad=True)
    assert torch.autograd.gradcheck(exp_se3, (twist / 100,))


def test_exponential_works_on_batches():
    twists = torch.tensor(np.stack([twist_of(angle) for angle in (0.0, 0.5, 2.0)])).reshape(3, 1, 6)
    transforms = exp_se3(twists)
    assert transforms.shape == (3, 1, 4, 4)
    torch.testing.assert_close(transforms[1, 0], exp_se3(twists[1, 0]))


def test_inverse_undoes_batches_of_transforms():
    transforms = exp_se3(torch.tensor(np.stack([twist_of(angle) for angle in (0.1, 1.0, 3.0)]))).numpy()
    np.testing.assert_allclose(inverse(transforms) @ transforms, np.broadcast_to(np.eye(4), (3, 4, 4)), atol=1e-12)


def test_points_are_mapped_as_columns():
    transform = exp_se3(torch.tensor(twist_of(0.7))).numpy()
    points = np.arange(12.0).reshape(2, 2, 3)
    expected = (transform @ np.append(points[1, 0], 1))[:3]
    np.testing.assert_allclose(transform_points(transform, points)[1, 0], expected)


@pytest.mark.parametrize("angle", [0.0, 1e-7, 0.3, np.pi / 2, 3.0, np.pi - 1e-7, np.pi])
def test_rotation_angle_is_accurate_at_both_ends(angle):
    transform = exp_se3(torch.tensor(twist_of(angle))).numpy()
    assert rotation_angle_deg(transform) == pytest.approx(np.degrees(angle), abs=1e-6)


def test_rotation_about_a_centre_only_shifts_the_centre():
    centre = np.array([10.0, -250.0, 33.0])
    twist = np.array([1.0, 2.0, -3.0, 0.1, -0.2, 0.05])
    offset = rotation_about(centre, twist)
    np.testing.assert_allclose(transform_points(offset, centre), centre + twist[:3], atol=1e-12)
    assert rotation_angle_deg(offset) == pytest.approx(np.degrees(np.linalg.norm(twist[3:])))


def test_checked_rigid_makes_a_rounded_rotation_orthonormal_and_protects_it():
    exact = exp_se3(torch.tensor(twist_of(0.7))).numpy()
    checked = checked_rigid(np.round(exact, 5).tolist(), "T")
    np.testing.assert_allclose(checked[:3, :3].T @ checked[:3, :3], np.eye(3), atol=1e-14)
    np.testing.assert_allclose(checked, exact, atol=2e-5)
    with pytest.raises(ValueError, match="read-only"):
        checked[0, 0] = 2


@pytest.mark.parametrize(
    ("matrix", "word"),
    [
        (np.eye(3), "4x4"),
        ([[1, 0, 0, 0], [0, 1, 0]], "4x4"),
        ("four by four", "4x4"),
        (np.full((4, 4), np.nan), "NaN"),
        (np.diag([1, 1, 1.01, 1]), "orthonormal"),
        (np.diag([2, 2, 2, 1]), "orthonormal"),
        (np.diag([1, 1, 1, 2]), "last row"),
        (np.zeros((4, 4)), "orthonormal"),
        (np.diag([1, 1, -1, 1]), "mirrors"),
    ],
)
def test_what_is_not_rigid_is_refused_by_name(matrix, word):
    with pytest.raises(InputError) as caught:
        checked_rigid(matrix, "poses.json, level L1: T_reference_ct")
    assert str(caught.value).startswith("poses.json, level L1: T_reference_ct ")
    assert word in str(caught.value)
