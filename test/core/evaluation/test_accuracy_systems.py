"""What each system is given, and what of its result is kept."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from radgs_core.case import Case
from radgs_core.registration.learned import Learned
from radgs_core.registration.pipeline_stages import Stages
from radgs_core.registration.result import LevelResult, RegistrationResult
from radgs_core.xray import CArm, biplanar_geometry

GEOMETRY = biplanar_geometry(CArm(size=8))
IMAGES = {view: np.ones((8, 8), np.float32) for view in GEOMETRY.views}
START = np.diag([-1.0, -1.0, 1.0, 1.0])


class Registration:
    """Stands in for the pipeline and keeps what it was given."""

    def __init__(self, case: Case, stages: Stages | None = None) -> None:
        self.case, self.stages = case, stages

    def register(
        self, images: Mapping[str, NDArray], geometry: Any, initial: Mapping[str, NDArray] | None = None
    ) -> RegistrationResult:
        assert images is IMAGES and geometry is GEOMETRY
        self.initial = initial
        levels = {
            label: LevelResult(label, "rejected", "Because.", n * np.eye(4), 0.5 + n, True, 3, {})
            for n, label in enumerate(self.case.levels)
        }
        gaussians = [vertebra.gaussians for vertebra in self.case.levels.values()]
        learned = Learned(np.zeros((2, 4, 4)), np.zeros((2, 6)), gaussians, None)  # type: ignore[arg-type]
        return RegistrationResult(
            "carm_base", levels, np.eye(4), 1.5, {"detection": 1.0, "learned": 0.5}, None if initial else learned, {}
        )


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Registration]:
    """The pipelines that were made, in their order."""
    from benchmarks import accuracy_systems

    pipelines: list[Registration] = []

    def make(*arguments: Any) -> Registration:
        pipelines.append(Registration(*arguments))
        return pipelines[-1]

    monkeypatch.setattr(accuracy_systems, "SpineRegistration", make)
    return pipelines


def test_the_pipeline_is_not_told_the_start(made: list[Registration], phantom_case: Case) -> None:
    from benchmarks.accuracy_systems import Pipeline

    stages = Stages(refinement=False)
    result = Pipeline(phantom_case, stages).register(IMAGES, GEOMETRY, START)
    assert made[0].initial is None and made[0].stages is stages
    assert list(result.reconstructions) == list(phantom_case.levels)
    assert result.reconstructions["L1"] is phantom_case.levels["L1"].gaussians
    assert (result.seconds, dict(result.seconds_by_stage)) == (1.5, {"detection": 1.0, "learned": 0.5})
    l1 = result.poses.levels["L1"]
    assert (l1.status, l1.expected_tre_mm, l1.T_reference_ct[0, 0]) == ("rejected", 1.5, 1)


def test_with_a_start_all_levels_get_it(made: list[Registration], phantom_case: Case) -> None:
    from benchmarks.accuracy_systems import FromStart

    result = FromStart(phantom_case).register(IMAGES, GEOMETRY, START)
    assert made[0].initial is not None and list(made[0].initial) == list(phantom_case.levels)
    assert all(pose is START for pose in made[0].initial.values())
    assert not result.reconstructions


def test_the_peer_gives_a_pose_for_each_level(phantom_case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks import accuracy_systems
    from benchmarks.peer import PeerPoses

    class FoundByPeer:
        def __init__(self, case: Case) -> None:
            pass

        def found(self, _images: Any, _geometry: Any, start: NDArray[np.float64]) -> PeerPoses:
            return PeerPoses(start, np.stack([np.eye(4), 2 * np.eye(4)]), 3.0, 10.0)

    monkeypatch.setattr(accuracy_systems, "Peer", FoundByPeer)
    result = accuracy_systems.PeerFromStart(phantom_case).register(IMAGES, GEOMETRY, START)
    assert [level.T_reference_ct[0, 0] for level in result.poses.levels.values()] == [1, 2]
    assert dict(result.seconds_by_stage) == {"rigid": 3.0, "per level": 7.0} and result.seconds == 10.0
