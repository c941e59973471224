"""Studies of `benchmarks.accuracy`: what a seed decides, and what it does not."""

import numpy as np
import pytest

from radgs_core.case import Case
from radgs_core.evaluation import evaluate
from radgs_core.geometry.rigid import inverse, rotation_angle_deg
from radgs_core.io import LevelPose, Poses
from radgs_core.xray import CArm


@pytest.fixture(scope="module")
def case(phantom_case: Case) -> Case:
    return phantom_case


@pytest.fixture
def studies(case: Case, monkeypatch: pytest.MonkeyPatch):
    from benchmarks import varied_studies

    monkeypatch.setattr(varied_studies, "CArm", lambda: CArm(pixel_mm=2.4, size=64))
    return varied_studies.VariedStudies(case)


def test_a_seed_gives_one_study_whatever_was_taken_before(studies) -> None:
    first, other, again = (studies.taken(seed) for seed in (7, 8, 7))
    for view in ("ap", "lateral"):
        assert np.array_equal(first.study.images[view], again.study.images[view])
        cameras = [each.study.geometry.views[view].T_reference_camera for each in (first, other, again)]
        assert np.array_equal(cameras[0], cameras[2]) and not np.allclose(cameras[0], cameras[1])
    assert np.array_equal(first.start, again.start) and not np.allclose(first.start, other.start)
    poses = [each.study.truth.levels["L1"].T_reference_ct for each in (first, other, again)]
    assert np.array_equal(poses[0], poses[2]) and not np.allclose(poses[0], poses[1])
    assert first.visible == again.visible == {"T12", "L1"}


def test_the_start_is_wrong_by_what_it_shall_be(studies, case: Case) -> None:
    offset = inverse(studies.T_reference_ct) @ studies.taken(3).start
    assert rotation_angle_deg(offset) == pytest.approx(8.0)
    each = studies.taken_between(3, 20.0, 25.0)
    assert np.array_equal(each.study.images["ap"], studies.taken(3).study.images["ap"])
    start = Poses("carm_base", dict.fromkeys(case.levels, LevelPose(each.start)))
    errors = [error.tre_mm for error in evaluate(case, start, each.study.truth)]
    assert 20.0 <= np.mean(errors) < 25.0
