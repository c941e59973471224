import numpy as np
import pytest

from radgs_core.case import Case
from radgs_core.errors import InputError
from radgs_core.geometry.rigid import transform_points
from radgs_core.xray.carm import R_CARM_CT, CArm, biplanar_geometry, body_pose

LEFT, BACK, HEAD = np.eye(3)  # LPS


def seen(view: str, direction_lps: np.ndarray) -> np.ndarray:
    """Where, relative to the isocentre, a point 10 mm from it in a direction of the patient appears, pixels."""
    camera = biplanar_geometry(CArm()).views[view]
    return camera.project(R_CARM_CT @ (10 * direction_lps)) - camera.project(np.zeros(3))


def test_ap_shows_the_head_up_and_the_left_on_the_right() -> None:
    assert seen("ap", HEAD) == pytest.approx([0, -10 * 1700 / 700])
    assert seen("ap", LEFT) == pytest.approx([10 * 1700 / 700, 0])


def test_lateral_shows_the_head_up_and_the_front_on_the_right() -> None:
    assert seen("lateral", HEAD) == pytest.approx([0, -10 * 1700 / 700])
    assert seen("lateral", -BACK) == pytest.approx([10 * 1700 / 700, 0])


def test_sources_are_before_the_patient_and_to_the_right() -> None:
    views = biplanar_geometry(CArm()).views
    assert views["ap"].source_mm == pytest.approx(R_CARM_CT @ (-700 * BACK))
    assert views["lateral"].source_mm == pytest.approx(R_CARM_CT @ (-700 * LEFT))


@pytest.mark.parametrize("orbital_deg", [-20.0, 0.0, 35.0, 90.0])
@pytest.mark.parametrize("angular_deg", [-10.0, 15.0])
def test_the_isocentre_stays_in_the_middle(orbital_deg: float, angular_deg: float) -> None:
    isocentre = (12.0, -7.0, 30.0)
    camera = CArm().camera(orbital_deg, angular_deg, isocentre)
    assert camera.project(isocentre) == pytest.approx([255.5, 255.5])
    assert np.linalg.norm(camera.source_mm - isocentre) == pytest.approx(700)


def test_angles_turn_the_source_as_documented() -> None:
    carm, angle = CArm(), np.radians(30)
    right, head, up = R_CARM_CT @ -LEFT, R_CARM_CT @ HEAD, R_CARM_CT @ -BACK
    assert carm.camera(orbital_deg=30).source_mm == pytest.approx(700 * (np.cos(angle) * up + np.sin(angle) * right))
    assert carm.camera(angular_deg=30).source_mm == pytest.approx(700 * (np.cos(angle) * up + np.sin(angle) * head))


def test_the_chosen_levels_are_centred(phantom_case: Case) -> None:
    centres = {label: vertebra.T_ct_vertebra[:3, 3] for label, vertebra in phantom_case.levels.items()}
    one = body_pose(phantom_case, ["L1"])
    assert transform_points(one, centres["L1"]) == pytest.approx(np.zeros(3), abs=1e-9)
    both = body_pose(phantom_case, ["T12", "L1"])
    assert sum(transform_points(both, centre) for centre in centres.values()) == pytest.approx(np.zeros(3), abs=1e-9)


def test_an_impossible_carm_is_refused() -> None:
    with pytest.raises(InputError, match="isocentre must lie between"):
        CArm(source_to_isocentre_mm=1100)
