import numpy as np
import pytest

from radgs_core.case import Case
from radgs_core.errors import InputError
from radgs_core.xray.carm import CArm, biplanar_geometry, body_pose
from radgs_core.xray.carm_joints import JointPositions
from radgs_core.xray.physics import Physics
from radgs_core.xray.simulator import Simulator
from radgs_core.xray.study import simulate_study
from radgs_core.xray.theatre import Theatre

CARM = CArm(pixel_mm=2.4, size=64)
PHOTONS = 5000.0
MOVED = JointPositions(20.0, -8.0, 12.0, -5.0, 9.0)


@pytest.fixture
def theatre(phantom_case: Case) -> Theatre:
    return Theatre(phantom_case, ["T12", "L1"], CARM, "plain", seed=7)


def test_pairs_are_the_studies_of_consecutive_seeds(theatre: Theatre, phantom_case: Case) -> None:
    for seed in (7, 8):
        theatre.bend(3.0, 3.0)
        exposure = theatre.pair(JointPositions(), PHOTONS)
        study = simulate_study(
            phantom_case, ["T12", "L1"], biplanar_geometry(CARM), Physics.plain(PHOTONS), 3.0, 3.0, seed
        )
        for view, pixels in study.images.items():
            np.testing.assert_array_equal(exposure.images[view], pixels)
        for level, pose in study.truth.levels.items():
            np.testing.assert_array_equal(exposure.T_reference_level[level], pose.T_reference_ct)


def test_the_table_carries_the_patient_and_the_carm_turns_both_views(theatre: Theatre, phantom_case: Case) -> None:
    theatre.bend(3.0, 3.0)
    still = theatre.pair(JointPositions(), PHOTONS)
    moved = theatre.pair(MOVED, PHOTONS)
    for level, T in still.T_reference_level.items():
        expected = T.copy()
        expected[:3, 3] += [12.0, -5.0, 9.0]
        np.testing.assert_allclose(moved.T_reference_level[level], expected, atol=1e-9)
    geometry = biplanar_geometry(CARM, (20.0, -8.0), (110.0, -8.0))
    T_body = body_pose(phantom_case, ["T12", "L1"])
    T_body[:3, 3] += [12.0, -5.0, 9.0]
    room = Simulator(phantom_case, geometry, T_body)
    images = room.expose(moved.T_reference_level, Physics.plain(PHOTONS), np.random.default_rng([7, 2]))
    for view, pixels in images.items():
        np.testing.assert_array_equal(moved.cameras[view].T_reference_camera, geometry.views[view].T_reference_camera)
        np.testing.assert_allclose(moved.images[view], pixels, atol=1e-3)


def test_a_single_shot_is_the_same_view_of_the_same_spine(theatre: Theatre) -> None:
    theatre.bend(3.0, 3.0)
    pair = theatre.pair(MOVED, 1e7)
    single = theatre.single("ap", MOVED, 1e7)
    lateral = theatre.single("lateral", JointPositions(110.0, -8.0, 12.0, -5.0, 9.0), 1e7)
    assert (set(single.images), set(lateral.images)) == ({"ap"}, {"lateral"})
    for shot, view in ((single, "ap"), (lateral, "lateral")):
        np.testing.assert_allclose(
            shot.cameras[view].T_reference_camera, pair.cameras[view].T_reference_camera, atol=1e-9
        )
        assert np.abs(shot.images[view] / pair.images[view] - 1).mean() < 0.01, "but for the noise"
        for level, T in pair.T_reference_level.items():
            np.testing.assert_allclose(shot.T_reference_level[level], T, atol=1e-9)


def test_exposures_of_one_spine_have_noise_of_their_own(theatre: Theatre) -> None:
    theatre.bend(3.0, 3.0)
    one, other = (theatre.single("ap", MOVED, PHOTONS).images["ap"] for _ in range(2))
    assert (one != other).mean() > 0.5


def test_a_spine_that_has_not_bent_is_that_of_the_ct(theatre: Theatre, phantom_case: Case) -> None:
    assert not theatre.is_bent
    exposure = theatre.single("ap", JointPositions(), PHOTONS)
    assert list(exposure.T_reference_level) == list(phantom_case.levels)
    for T in exposure.T_reference_level.values():
        np.testing.assert_allclose(T, body_pose(phantom_case, ["T12", "L1"]))
    theatre.bend(3.0, 3.0)
    assert theatre.is_bent


def test_an_unknown_physics_is_refused(phantom_case: Case) -> None:
    with pytest.raises(InputError, match="realistic or plain"):
        Theatre(phantom_case, ["L1"], CARM, "magic", seed=0)
