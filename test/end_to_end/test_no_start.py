"""From two X-rays alone, with the networks that come with the demo: levels are found, and what is wrong is rejected.

A pose that looks right and is wrong can hurt, so after every mistake below each level has to be rejected or right.
"""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from radgs_core.case import Case
from radgs_core.commands.prepare import prepared
from radgs_core.detection import Detections
from radgs_core.detection.detector import Detector
from radgs_core.evaluation import tre_mm, varied_geometry, varied_physics, visible_levels
from radgs_core.geometry.camera import BiplanarGeometry
from radgs_core.geometry.rigid import transform_points
from radgs_core.networks import Networks
from radgs_core.registration import learned
from radgs_core.registration.pipeline import RegistrationResult, SpineRegistration, Stages
from radgs_core.xray import CArm, Simulator, body_pose, take_study

WEIGHTS = Path(__file__).parents[2] / "radgs_reg_ros" / "demo" / "networks.safetensors"
LEVELS = ["T9", "T10", "T11", "T12", "L1"]
SEED = 7
WRONG_MM = 2.0

Images = Mapping[str, NDArray]


@dataclasses.dataclass(frozen=True)
class Room:
    """One patient, one biplanar exposure of varied C-arm, physics and bending, and where the levels are."""

    registration: SpineRegistration
    case: Case
    images: Images
    geometry: BiplanarGeometry
    truth: Mapping[str, NDArray[np.float64]]

    def registered(self, images: Images, geometry: BiplanarGeometry | None = None) -> RegistrationResult:
        return self.registration.register(images, geometry or self.geometry)

    def error_mm(self, result: RegistrationResult, label: str) -> float:
        points = self.case.levels[label].surface_points_mm
        return tre_mm(points, result.levels[label].T_reference_ct, self.truth[label])

    def assert_nothing_wrong(self, result: RegistrationResult) -> None:
        """Every level is rejected, with a reason, or right."""
        for label, level in result.levels.items():
            if level.status == "rejected":
                assert level.reason.endswith(".")
            else:
                assert self.error_mm(result, label) < WRONG_MM, label

    def points_mm(self, label: str) -> NDArray[np.float64]:
        return transform_points(self.truth[label], self.case.levels[label].surface_points_mm.astype(np.float64))


@pytest.fixture(scope="module")
def room(example: tuple[Path, Path]) -> Room:
    case = prepared(*example, LEVELS, "auto", lambda fraction, message: None)
    case = dataclasses.replace(case, networks=Networks.load(WEIGHTS))
    geometry = varied_geometry(CArm(), np.random.default_rng([SEED, 3]))
    simulator = Simulator(case, geometry, body_pose(case, LEVELS))
    study = take_study(case, simulator, varied_physics(np.random.default_rng([SEED, 1])), 3.0, 3.0, SEED)
    truth = {label: level.T_reference_ct for label, level in study.truth.levels.items()}
    return Room(SpineRegistration(case), case, study.images, geometry, truth)


def test_visible_levels_are_found_within_2_mm(room: Room) -> None:
    result = room.registered(room.images)
    room.assert_nothing_wrong(result)
    visible = visible_levels(room.case, room.images, room.geometry, room.truth)
    assert len(visible) >= 4
    for label in visible:
        assert result.levels[label].status == "registered", result.levels[label].reason
        assert room.error_mm(result, label) < WRONG_MM


def test_recm_and_regm_come_closer_from_pass_to_pass(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    def mean_error_mm(stages: Stages) -> float:
        result = SpineRegistration(room.case, stages).register(room.images, room.geometry)
        return float(np.mean([room.error_mm(result, label) for label in LEVELS]))

    detected = mean_error_mm(Stages(learned=False, refinement=False))
    through_all = mean_error_mm(Stages(refinement=False))
    monkeypatch.setattr(learned, "PASSES", 1)
    assert through_all < mean_error_mm(Stages(refinement=False)) < detected


def exchanged(images: Images) -> Images:
    return {"ap": images["lateral"], "lateral": images["ap"]}


def mirrored(view: str) -> Callable[[Images], Images]:
    return lambda images: {**images, view: images[view][:, ::-1].copy()}


def turned(quarters: int, *views: str) -> Callable[[Images], Images]:
    return lambda images: {**images, **{view: np.rot90(images[view], quarters).copy() for view in views}}


@pytest.mark.parametrize(
    "mistake",
    [
        exchanged,
        mirrored("ap"),
        mirrored("lateral"),
        turned(2, "lateral"),
        turned(2, "ap", "lateral"),
        turned(1, "ap"),
    ],
    ids=["exchanged", "mirrored ap", "mirrored lateral", "turned lateral", "both turned", "ap on its side"],
)
def test_images_of_the_wrong_way_round(room: Room, mistake: Callable[[Images], Images]) -> None:
    room.assert_nothing_wrong(room.registered(mistake(room.images)))


@pytest.mark.parametrize("missing", ["beyond the detector", "behind the blades"])
@pytest.mark.parametrize("view", ["ap", "lateral"])
def test_a_level_that_one_view_does_not_show(room: Room, view: str, missing: str) -> None:
    """L1, the lowest in the images."""
    camera, image = room.geometry.views[view], room.images[view].copy()
    last_row = int(camera.project(room.points_mm("L1"))[:, 1].min())
    if missing == "beyond the detector":
        camera, image = dataclasses.replace(camera, height=last_row), image[:last_row]
    else:
        image[last_row:] = 0.0
    geometry = dataclasses.replace(room.geometry, views={**room.geometry.views, view: camera})
    result = room.registered({**room.images, view: image}, geometry)
    room.assert_nothing_wrong(result)
    assert result.levels["L1"].status == "rejected"


@pytest.mark.parametrize(("view", "down"), [("ap", 1), ("lateral", -1)])
def test_a_view_whose_geometry_is_off_by_one_level(room: Room, view: str, down: int) -> None:
    """The image is a true one; the C-arm says that it stood a level further along the spine."""
    level_mm = room.points_mm("T11").mean(0) - room.points_mm("T10").mean(0)
    T_reference_camera = room.geometry.views[view].T_reference_camera.copy()
    T_reference_camera[:3, 3] += down * level_mm
    camera = dataclasses.replace(room.geometry.views[view], T_reference_camera=T_reference_camera)
    geometry = dataclasses.replace(room.geometry, views={**room.geometry.views, view: camera})
    room.assert_nothing_wrong(room.registered(room.images, geometry))


def next_level(values: NDArray) -> NDArray:
    """(V, L, ...) of the level below each; what lies below the last continues the spine."""
    return np.concatenate([values[:, 1:], 2 * values[:, -1:] - values[:, -2:-1]], 1)


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)], ids=["below", "above"])
def test_a_detector_that_counts_one_level_wrong_in_both_views(
    room: Room, monkeypatch: pytest.MonkeyPatch, order: slice
) -> None:
    """Everything fits together, but the body around is that of other levels."""
    detect = Detector.detect

    def miscounted(detector: Detector, observations: object) -> Detections:
        found = detect(detector, observations)
        moved = dataclasses.replace(found, pixels=next_level(found.pixels[:, order])[:, order])
        assert np.abs(moved.pixels - found.pixels).max() > 30
        return moved

    monkeypatch.setattr(Detector, "detect", miscounted)
    room.assert_nothing_wrong(room.registered(room.images))
