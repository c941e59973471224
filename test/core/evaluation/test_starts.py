import numpy as np
import pytest

from radgs_core.case import Case
from radgs_core.evaluation import wrong_start
from radgs_core.geometry.rigid import checked_rigid, inverse, rotation_angle_deg, transform_points
from radgs_core.xray import body_pose

LEVELS = ["T12", "L1"]


def test_the_offset_has_exactly_its_magnitudes_about_the_levels(phantom_case: Case) -> None:
    body = body_pose(phantom_case, LEVELS)
    centre = np.mean([phantom_case.levels[level].T_ct_vertebra[:3, 3] for level in LEVELS], axis=0)
    for seed in range(5):
        start = wrong_start(phantom_case, body, LEVELS, 8.0, 6.0, np.random.default_rng(seed))
        checked_rigid(start, "start")
        shift = transform_points(start, centre) - transform_points(body, centre)
        assert np.linalg.norm(shift) == pytest.approx(8.0)
        assert rotation_angle_deg(inverse(body) @ start) == pytest.approx(6.0)


def test_directions_are_uniform_and_come_from_the_generator(phantom_case: Case) -> None:
    rng = np.random.default_rng(0)
    body = body_pose(phantom_case, LEVELS)
    centre = np.mean([phantom_case.levels[level].T_ct_vertebra[:3, 3] for level in LEVELS], axis=0)
    shifts = [transform_points(wrong_start(phantom_case, body, LEVELS, 1.0, 1.0, rng), centre) for _ in range(2000)]
    directions = np.array(shifts) - transform_points(body, centre)
    # uniform on the sphere: mean 0, covariance 1/3 on the diagonal; tolerances of four standard errors
    assert np.abs(directions.mean(0)).max() < 4 * (1 / 3 / 2000) ** 0.5
    assert np.abs(directions.T @ directions / 2000 - np.eye(3) / 3).max() < 4 * (4 / 45 / 2000) ** 0.5
    again = wrong_start(phantom_case, body, LEVELS, 1.0, 1.0, np.random.default_rng(0))
    assert transform_points(again, centre) == pytest.approx(shifts[0])


def test_no_offset_is_the_body(phantom_case: Case) -> None:
    body = body_pose(phantom_case, LEVELS)
    assert np.allclose(wrong_start(phantom_case, body, LEVELS, 0.0, 0.0, np.random.default_rng(0)), body)
