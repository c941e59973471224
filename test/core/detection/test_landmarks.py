"""Landmarks where the made-up vertebra has them."""

from dataclasses import replace

import numpy as np
import pytest
from made_spine import BODY_MM, LEFT_MM, RIGHT_MM, SPINOUS_MM

from radgs_core.case import Case, Vertebra
from radgs_core.detection import LANDMARKS, landmarks_ct_mm
from radgs_core.geometry.rigid import inverse, rotation_about, transform_points


@pytest.fixture
def vertebra(spine: Case) -> Vertebra:
    return spine.levels["T10"]


def in_vertebra_frame(vertebra: Vertebra) -> dict[str, np.ndarray]:
    places = transform_points(inverse(vertebra.T_ct_vertebra), landmarks_ct_mm(vertebra))
    return dict(zip(LANDMARKS, places, strict=True))


def test_every_landmark_is_where_its_name_says(vertebra: Vertebra) -> None:
    places = in_vertebra_frame(vertebra)
    np.testing.assert_allclose(places["spinous_process"], SPINOUS_MM, atol=3)
    np.testing.assert_allclose(places["left_transverse_process"], LEFT_MM, atol=3)
    np.testing.assert_allclose(places["right_transverse_process"], RIGHT_MM, atol=3)
    np.testing.assert_allclose(places["centroid"], 0, atol=1e-9)
    assert np.linalg.norm(places["body"] - BODY_MM) < 7, "well inside a body of 14 mm radius"


def test_landmarks_move_with_the_vertebra(vertebra: Vertebra) -> None:
    motion = rotation_about(np.array([10.0, 20, 30]), np.array([5.0, -7, 11, 0.4, -0.3, 0.6]))
    moved = replace(
        vertebra,
        T_ct_vertebra=motion @ vertebra.T_ct_vertebra,
        surface_points_mm=transform_points(motion, vertebra.surface_points_mm.astype(np.float64)),
    )
    np.testing.assert_allclose(
        landmarks_ct_mm(moved), transform_points(motion, landmarks_ct_mm(vertebra)), rtol=0, atol=1e-9
    )


def test_one_stray_point_hardly_moves_a_tip(vertebra: Vertebra) -> None:
    stray = transform_points(vertebra.T_ct_vertebra, np.array([[-60.0, 0, -20]]))
    points = np.concatenate([vertebra.surface_points_mm, stray]).astype(np.float32)
    tip = in_vertebra_frame(replace(vertebra, surface_points_mm=points))["spinous_process"]
    np.testing.assert_allclose(tip, SPINOUS_MM, atol=5)


def test_landmarks_fix_all_six_degrees_of_freedom(vertebra: Vertebra) -> None:
    places = landmarks_ct_mm(vertebra)
    spread = np.linalg.svd(places - places.mean(0), compute_uv=False) / np.sqrt(len(places))
    assert spread[1] > 10, "root mean square distance from a line, mm"


def test_the_end_of_the_phantoms_bar_is_found_after_preparation(phantom_case: Case) -> None:
    """It ends 22 mm behind the middle of the cylinder (phantom.body_of)."""
    for label, centre in {"T12": (2.0, 10.0, 22.0), "L1": (0.0, 8.0, 0.0)}.items():
        tip = landmarks_ct_mm(phantom_case.levels[label])[LANDMARKS.index("spinous_process")]
        np.testing.assert_allclose(tip, np.add(centre, (0, 22, 0)), atol=2)
