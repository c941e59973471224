import dataclasses

import numpy as np
import pytest
import torch

from radgs_core.errors import InputError
from radgs_core.geometry.camera import BiplanarGeometry, XrayCamera
from radgs_core.geometry.rigid import exp_se3, inverse, transform_points

MATRIX = np.array([[1700.0, 2.0, 250.0], [0.0, 1650.0, 260.5], [0.0, 0.0, 1.0]])


def camera(twist=(5.0, -20.0, -700.0, 0.2, -0.1, 0.3), **changes) -> XrayCamera:
    T_reference_camera = exp_se3(torch.tensor(twist, dtype=torch.float64)).numpy()
    values = {"width": 512, "height": 500, "camera_matrix": MATRIX, "T_reference_camera": T_reference_camera}
    return XrayCamera(**{**values, "name": "geometry.yaml, view ap", **changes})


def test_projection_follows_the_pinhole_formula():
    view = camera()
    in_camera = np.array([12.0, -34.0, 650.0])
    point = transform_points(view.T_reference_camera, in_camera)
    fx, s, cx = MATRIX[0]
    x, y = in_camera[:2] / in_camera[2]
    np.testing.assert_allclose(view.project(point), [fx * x + s * y + cx, 1650.0 * y + 260.5], atol=1e-9)


def test_all_points_of_a_ray_from_the_source_meet_the_same_pixel():
    view = camera()
    point = transform_points(view.T_reference_camera, np.array([40.0, 10.0, 500.0]))
    along = view.source_mm + np.array([[0.5], [1.0], [1.7]]) * (point - view.source_mm)
    np.testing.assert_allclose(view.project(along), np.broadcast_to(view.project(point), (3, 2)), atol=1e-9)


def test_camera_from_reference_inverts():
    view = camera()
    np.testing.assert_allclose(view.T_camera_reference, inverse(view.T_reference_camera))
    np.testing.assert_allclose(transform_points(view.T_camera_reference, view.source_mm), 0, atol=1e-10)


@pytest.mark.parametrize("factor", [1, 2, 3, 8])
def test_resized_camera_sees_points_where_averaged_pixels_lie(factor):
    view = camera()
    small = view.resized(factor)
    points = transform_points(view.T_reference_camera, np.array([[0.0, 0.0, 700.0], [90.0, -80.0, 640.0]]))
    # the centre of small pixel (0, 0) is the mean of the centres of pixels 0 .. factor - 1
    expected = (view.project(points) - (factor - 1) / 2) / factor
    np.testing.assert_allclose(small.project(points), expected, atol=1e-9)
    assert (small.width, small.height) == (512 // factor, 500 // factor)
    assert small.name == view.name


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"width": 0}, "width"),
        ({"width": True}, "width"),
        ({"height": 512.0}, "height"),
        ({"camera_matrix": np.zeros((3, 3))}, "singular"),
        ({"camera_matrix": np.diag([1700.0, 0.0, 1.0])}, "singular"),
        ({"camera_matrix": np.diag([1700.0, -1700.0, 1.0])}, "positive"),
        ({"camera_matrix": np.diag([1700.0, 1700.0, 2.0])}, "singular"),
        ({"camera_matrix": np.eye(4)}, "3x3"),
        ({"camera_matrix": [[1, 2], [3]]}, "3x3"),
        ({"camera_matrix": np.diag([np.nan, 1700.0, 1.0])}, "finite"),
        ({"T_reference_camera": np.diag([1, 1, 2, 1])}, "T_reference_camera"),
        ({"intensity": "bright"}, "transmission"),
    ],
)
def test_bad_cameras_are_refused_by_name(changes, word):
    with pytest.raises(InputError) as caught:
        camera(**changes)
    assert str(caught.value).startswith("geometry.yaml, view ap: ")
    assert word in str(caught.value)


def test_a_camera_cannot_be_changed():
    view = camera()
    with pytest.raises(dataclasses.FrozenInstanceError):
        view.width = 3
    with pytest.raises(ValueError, match="read-only"):
        view.camera_matrix[0, 0] = 3
    mine = MATRIX.copy()
    view = camera(camera_matrix=mine)
    mine[0, 0] = 1
    assert view.camera_matrix[0, 0] == 1700


def test_both_views_are_needed():
    with pytest.raises(InputError, match="ap and lateral"):
        BiplanarGeometry("carm_base", {"ap": camera()})
    with pytest.raises(InputError, match="ap and lateral"):
        BiplanarGeometry("carm_base", {"ap": camera(), "lateral": camera(), "oblique": camera()})


@pytest.mark.parametrize(("degrees", "accepted"), [(0, False), (15, False), (25, True), (90, True), (165, False)])
def test_views_along_one_direction_are_refused(degrees, accepted):
    views = {
        "ap": camera((0, 0, 0, 0, 0, 0)),
        "lateral": camera((0, 0, 0, 0, np.radians(degrees), 0)),
    }
    if accepted:
        assert BiplanarGeometry("carm_base", views).views["ap"] is views["ap"]
    else:
        with pytest.raises(InputError, match="20 degrees apart"):
            BiplanarGeometry("carm_base", views)
