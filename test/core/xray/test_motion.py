import numpy as np

from radgs_core.case import Case
from radgs_core.geometry.rigid import rotation_angle_deg, transform_points
from radgs_core.xray.motion import bend, random_motion


def test_magnitudes_are_about_those_asked_for() -> None:
    rng, centre = np.random.default_rng(0), np.array([10.0, -40.0, 200.0])
    motions = [random_motion(centre, 3.0, 4.0, rng) for _ in range(400)]
    shifts = np.array([transform_points(motion, centre) - centre for motion in motions])
    lengths, angles = np.linalg.norm(shifts, axis=1), np.array([rotation_angle_deg(motion) for motion in motions])
    assert abs(lengths.mean() - 3) < 0.2
    assert lengths.min() >= 1.5 and lengths.max() <= 4.5
    assert abs(angles.mean() - 4) < 0.3
    assert np.linalg.norm(shifts.mean(0)) < 0.5  # no preferred direction


def test_levels_move_differently_and_the_same_every_time(phantom_case: Case) -> None:
    first, second = (bend(phantom_case, ["T12", "L1"], 3.0, 3.0, np.random.default_rng(7)) for _ in range(2))
    assert all(np.array_equal(first[level], second[level]) for level in ("T12", "L1"))
    assert not np.allclose(first["T12"], first["L1"], atol=0.1)


def test_no_motion_leaves_everything_in_place(phantom_case: Case) -> None:
    assert np.allclose(bend(phantom_case, ["L1"], 0.0, 0.0, np.random.default_rng(0))["L1"], np.eye(4))
