import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from radgs_core.evaluation import depth_errors_mm, tre_mm
from radgs_core.xray import CArm, biplanar_geometry


def rigid(rotvec: tuple[float, float, float], translation: tuple[float, float, float]) -> NDArray[np.float64]:
    transform = np.eye(4)
    transform[:3, :3] = Rotation.from_rotvec(rotvec).as_matrix()
    transform[:3, 3] = translation
    return transform


SOMEWHERE = rigid((0.3, -0.2, 0.5), (100.0, -50.0, 20.0))
SQUARE = np.array([[10.0, 0, 0], [0, 10, 0], [-10, 0, 0], [0, -10, 0]], np.float32)


def test_no_error() -> None:
    assert tre_mm(SQUARE, SOMEWHERE, SOMEWHERE) == 0


def test_a_shift_is_its_own_error() -> None:
    found = rigid((0, 0, 0), (3.0, 4.0, 0.0)) @ SOMEWHERE
    assert tre_mm(SQUARE, found, SOMEWHERE) == pytest.approx(5)


def test_a_rotation_moves_points_by_their_chords() -> None:
    # a right angle about z: each point at a radius of 10 mm moves 10 sqrt(2) mm
    assert tre_mm(SQUARE, SOMEWHERE @ rigid((0, 0, np.pi / 2), (0, 0, 0)), SOMEWHERE) == pytest.approx(200**0.5)


def test_it_is_the_mean_of_distances_not_their_root_mean_square() -> None:
    # half a turn about the line through the first point: 0 mm for it, 20 mm across for those beside the line
    points = np.array([[10.0, 0, 0], [0, 10, 0]])
    assert tre_mm(points, rigid((np.pi, 0, 0), (0, 0, 0)), np.eye(4)) == pytest.approx(10)


@pytest.mark.parametrize(
    ("shift", "ap", "lateral"),
    [
        ((4.0, 0, 0), 0, 0),  # along the patient: across both views
        ((0, -3.0, 0), 0, 3),  # to the left: away from the lateral view's source
        ((0, 0, 2.0), 2, 0),  # up, towards the source of the AP view
        ((1.0, 2.0, 3.0), 3, 2),
    ],
)
def test_depth_is_along_the_central_ray(shift: tuple[float, float, float], ap: float, lateral: float) -> None:
    found = rigid((0, 0, 0), shift) @ SOMEWHERE
    errors = depth_errors_mm(SQUARE, found, SOMEWHERE, biplanar_geometry(CArm()))
    assert errors == {"ap": pytest.approx(ap, abs=1e-9), "lateral": pytest.approx(lateral, abs=1e-9)}


def test_depth_counts_both_directions() -> None:
    """A small tilt moves one half towards the source and the other away; the mean must not be zero."""
    angle = 0.01
    found = rigid((angle, 0, 0), (0, 0, 0))
    errors = depth_errors_mm(SQUARE, found, np.eye(4), biplanar_geometry(CArm()))
    assert errors["ap"] == pytest.approx((0 + 10 + 0 + 10) / 4 * np.sin(angle))
