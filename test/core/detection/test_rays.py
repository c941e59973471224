"""Points from pixels, against cameras that project them."""

import numpy as np

from radgs_core.detection.rays import nearest_points
from radgs_core.geometry.camera import XrayCamera
from radgs_core.xray import CArm


def cameras() -> list[XrayCamera]:
    return [CArm().camera(5, -8), CArm().camera(80, 3, (10, 0, -5))]


def test_projected_points_come_back() -> None:
    points = np.random.default_rng(0).uniform(-80, 80, (4, 3, 3))
    found, distances = nearest_points(cameras(), np.stack([camera.project(points) for camera in cameras()]))
    np.testing.assert_allclose(found, points, atol=1e-9)
    np.testing.assert_allclose(distances, 0, atol=1e-9)


def test_between_rays_that_pass_each_other_is_the_middle() -> None:
    """AP and lateral at right angles: shifts along the patient, across both rays, are averaged."""
    ap, lateral = CArm().camera(0, 0), CArm().camera(90, 0)
    pixels = np.stack([ap.project(np.array([4.0, 0, 0])), lateral.project(np.array([-4.0, 0, 0]))])
    found, distance = nearest_points([ap, lateral], pixels)
    # the rays are tilted by 4 / 700 towards the head and the feet, so they pass closest a little off the isocentre
    np.testing.assert_allclose(found, 0, atol=4 * 4 / 700)
    np.testing.assert_allclose(distance, 4.0, rtol=1e-4)


def test_rays_that_would_meet_behind_a_source_do_not_meet() -> None:
    """As when a camera's axes are given the wrong way round."""
    ap, lateral = cameras()
    turned = lateral.T_reference_camera @ np.diag([1.0, -1, -1, 1])
    away = XrayCamera(lateral.width, lateral.height, lateral.camera_matrix, turned)
    pixels = np.stack([camera.project(np.array([10.0, 20, 30])) for camera in (ap, away)])
    found, distance = nearest_points([ap, away], pixels)
    np.testing.assert_allclose(found, [10, 20, 30], atol=1e-9)
    assert np.isinf(distance)
