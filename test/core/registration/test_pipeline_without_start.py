"""From two X-rays alone to poses and verdicts; detection and networks are stood in for: they have their own tests."""

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from radgs_core.case import Case
from radgs_core.detection.triangulation import FirstPoses
from radgs_core.errors import InputError
from radgs_core.evaluation import tre_mm
from radgs_core.geometry.rigid import inverse, rotation_about
from radgs_core.registration import pipeline, refinement
from radgs_core.registration.learned import Learned
from radgs_core.registration.pipeline import RegistrationResult, SpineRegistration, Stages
from radgs_core.registration.refinement import Refined
from radgs_core.registration.scene import ScenePoses
from radgs_core.xray import CArm, Physics, Simulator, biplanar_geometry, body_pose

GEOMETRY = biplanar_geometry(CArm(size=128, pixel_mm=1.2))
OFFSET = rotation_about(np.zeros(3), np.r_[2.0, -2.0, 2.0, np.radians([2.0, 2.0, -2.0])])


@dataclasses.dataclass(frozen=True)
class Study:
    """A case with untrained networks, its X-rays, and where its levels truly are: they have not moved."""

    case: Case
    images: dict[str, NDArray]
    truth: NDArray[np.float64]

    def error_mm(self, result: RegistrationResult, level: str) -> float:
        return tre_mm(self.case.levels[level].surface_points_mm, result.levels[level].T_reference_ct, self.truth)


@pytest.fixture(scope="module")
def study(phantom_case: Case, untrained_networks: Callable[[Sequence[str]], Any]) -> Study:
    levels = list(phantom_case.levels)
    truth = body_pose(phantom_case, levels)
    simulator = Simulator(phantom_case, GEOMETRY, truth)
    images = simulator.expose(dict.fromkeys(levels, truth), Physics.plain(5000.0), np.random.default_rng(1))
    # trained for one level more than the case has, and in another order
    networks = untrained_networks(["L1", "T12", "L2"])
    return Study(dataclasses.replace(phantom_case, networks=networks), images, truth)


@pytest.fixture
def found(study: Study, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Detection finds everything about 4 mm and 4 degrees wrong; the list has an entry for each time it is asked."""
    asked: list[int] = []

    class NearlyRight:
        def __init__(self, case: Case, networks: object) -> None:
            pass

        def find(self, observations: Sequence[object]) -> FirstPoses:
            asked.append(len(observations))
            pose = OFFSET @ study.truth
            return FirstPoses(pose, dict.fromkeys(study.case.levels, pose), {}, 1.0, "")

    monkeypatch.setattr(pipeline, "Finder", NearlyRight)
    return asked


def test_what_detection_finds_is_refined_and_judged(study: Study, found: list[int]) -> None:
    registration = SpineRegistration(study.case, Stages(learned=False))
    assert not registration.needs_start
    result = registration.register(study.images, GEOMETRY)
    assert found == [2], "both views, once"
    assert result.all_registered and result.learned is None
    for level in study.case.levels:
        assert tre_mm(study.case.levels[level].surface_points_mm, OFFSET @ study.truth, study.truth) > 3
        assert study.error_mm(result, level) < 0.8
    assert list(result.seconds_by_stage) == ["images", "detection", "placement", "refinement", "verdict"]
    assert 0 < sum(result.seconds_by_stage.values()) <= result.seconds


def test_the_networks_look_at_what_detection_found(study: Study, found: list[int]) -> None:
    """Without refinement their poses are the result, and nothing verifies them."""
    result = SpineRegistration(study.case, Stages(refinement=False)).register(study.images, GEOMETRY)
    learned = result.learned
    assert learned is not None
    assert learned.attention.shape[:3] == (2, 2, 27)
    np.testing.assert_allclose(learned.attention.sum((3, 4)).numpy(), 1, atol=1e-5)
    assert list(result.seconds_by_stage) == ["images", "detection", "learned"]
    for pose, level in zip(learned.T_reference_ct, result.levels.values(), strict=True):
        np.testing.assert_array_equal(level.T_reference_ct, pose)
        assert level.status == "rejected" and "nothing verifies this pose" in level.reason
        assert math.isinf(level.expected_tre_mm) and level.similarity == {}


@pytest.mark.parametrize("given", [False, True])
def test_networks_look_at_unbent_levels_of_the_placed_body_and_refinement_is_told_what_they_see(
    given: bool, study: Study, found: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the start of single levels was."""
    asked: list[ScenePoses] = []
    seen = np.stack([rotation_about(np.zeros(3), np.r_[k, 0, 0, 0, 0, 0]) @ study.truth for k in (0.3, -0.3)])
    told: list[object] = []

    class Looking:
        def __init__(self, *arguments: object) -> None:
            pass

        def register(self, observations: Sequence[object], start: ScenePoses) -> Learned:
            asked.append(start)
            return Learned(seen, np.zeros((2, 6)), [], torch.zeros(0))

    def refine(*arguments: Any) -> Refined:
        told.append(arguments[3])
        return refinement.refine(*arguments)

    monkeypatch.setattr(pipeline, "LearnedRegistration", Looking)
    monkeypatch.setattr(pipeline, "refine", refine)
    registration = SpineRegistration(study.case)
    bent = {"T12": OFFSET @ study.truth, "L1": inverse(OFFSET) @ study.truth}
    registration.register(study.images, GEOMETRY, bent if given else None)
    (start,), (told_seen,) = asked, told
    assert told_seen is seen
    assert tre_mm(study.case.levels["L1"].surface_points_mm, start.body, study.truth) < 1.5
    for level in start.levels:
        np.testing.assert_array_equal(level, start.body)


def test_without_both_the_poses_are_those_of_detection(study: Study, found: list[int]) -> None:
    stages = Stages(learned=False, refinement=False)
    result = SpineRegistration(study.case, stages).register(study.images, GEOMETRY, levels=["L1"])
    assert list(result.levels) == ["L1"]
    np.testing.assert_allclose(result.levels["L1"].T_reference_ct, OFFSET @ study.truth)
    assert result.levels["L1"].status == "rejected"


def test_with_a_start_nothing_is_detected(study: Study, found: list[int]) -> None:
    start = dict.fromkeys(study.case.levels, OFFSET @ study.truth)
    result = SpineRegistration(study.case).register(study.images, GEOMETRY, start)
    assert found == [] and list(result.seconds_by_stage) == ["images", "placement", "learned", "refinement", "verdict"]


def test_a_detection_that_fails_rejects_every_level_with_its_reason(study: Study) -> None:
    """The networks are untrained: this is what they truly see."""
    result = SpineRegistration(study.case).register(study.images, GEOMETRY)
    assert list(result.levels) == list(study.case.levels)
    assert len({level.reason for level in result.levels.values()}) == 1
    for level in result.levels.values():
        assert level.status == "rejected" and level.reason.endswith(".")
        assert math.isinf(level.expected_tre_mm) and level.similarity == {}
        np.testing.assert_array_equal(level.T_reference_ct, np.eye(4))
    assert list(result.seconds_by_stage) == ["images", "detection"]


def test_what_finds_no_start_says_so(study: Study, phantom_case: Case) -> None:
    for registration in (SpineRegistration(phantom_case), SpineRegistration(study.case, Stages(detection=False))):
        assert registration.needs_start
        with pytest.raises(InputError, match="no start pose is given"):
            registration.register(study.images, GEOMETRY)
