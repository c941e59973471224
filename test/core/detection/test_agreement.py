"""Detections that are no start, and say why."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from made_spine import Scene, detections, made_case
from numpy.typing import NDArray

from radgs_core.case import Case
from radgs_core.detection import first_poses
from radgs_core.detection.landmarks import LANDMARKS

IMAGE_PX = 511


def exchanged(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    return pixels[::-1].copy()


def mirrored(view: int) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    def change(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
        pixels[view, ..., 0] = IMAGE_PX - pixels[view, ..., 0]
        return pixels

    return change


def turned(view: int, quarters: int) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    def change(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
        for _ in range(quarters):
            pixels[view] = np.stack([IMAGE_PX - pixels[view, ..., 1], pixels[view, ..., 0]], -1)
        return pixels

    return change


def next_level_in_lateral(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    pixels[1, :-1] = pixels[1, 1:].copy()
    pixels[1, -1] = 2 * pixels[1, -1] - pixels[1, -3]
    return pixels


def anything(view: int) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    def change(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
        pixels[view] = np.random.default_rng(0).uniform(0, IMAGE_PX, pixels[view].shape)
        return pixels

    return change


@pytest.mark.parametrize(
    "change",
    [
        exchanged,
        mirrored(0),
        mirrored(1),
        *(turned(view, quarters) for view in (0, 1) for quarters in (1, 2, 3)),
        next_level_in_lateral,
        anything(0),
        anything(1),
    ],
)
def test_views_that_do_not_belong_together_are_no_start(
    spine: Case, scenes: Sequence[Scene], change: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> None:
    for scene in scenes:
        found = first_poses(spine, scene.cameras, detections(change(scene.seen(1.5))))
        assert "check" in found.reason
        assert found.reason.endswith(".")
        assert list(found.T_reference_level) == list(found.agreeing) == list(spine.levels)


def test_levels_off_by_one_in_a_whole_view_contradict_the_other(spine: Case, scenes: Sequence[Scene]) -> None:
    found = first_poses(spine, scenes[0].cameras, detections(next_level_in_lateral(scenes[0].seen(1.5))))
    assert found.reason.startswith("the images contradict each other: only 0 of 25 landmarks")


def test_what_the_detector_is_sure_of_must_fit(spine: Case, scenes: Sequence[Scene]) -> None:
    """Most landmarks are right, but what is wrong seems certain."""
    scene = scenes[0]
    pixels = scene.seen(1.5)
    wrong = np.arange(25).reshape(5, 5) % 5 < 2
    pixels[:, wrong] = scene.rng.uniform(0, IMAGE_PX, (2, wrong.sum(), 2))
    share_right = {}
    for sure, doubtful in ((0.9, 0.3), (0.9, 0.9)):
        confidence = np.broadcast_to(np.where(wrong, sure, doubtful), pixels.shape[:3])
        found = first_poses(spine, scene.cameras, detections(pixels, confidence=confidence))
        share_right[doubtful] = "% of the landmarks found in the images fit" not in found.reason
    assert share_right == {0.3: False, 0.9: True}


def test_half_of_the_levels_off_by_one_in_both_views_is_no_start(scenes: Sequence[Scene]) -> None:
    case = made_case(("T8", "T9", "T10", "T11"))
    scene = Scene(case, 0)
    pixels = scene.seen(1.5)
    pixels[:, 2] = pixels[:, 3]
    pixels[:, 3] += pixels[:, 3] - pixels[:, 1]
    assert "% of the landmarks found in the images fit" in first_poses(case, scene.cameras, detections(pixels)).reason


def test_views_given_in_the_wrong_order_are_noticed(spine: Case, scenes: Sequence[Scene]) -> None:
    """Images and cameras exchanged alike: everything fits, but AP shows the patient from the side."""
    scene = scenes[0]
    found = first_poses(spine, scene.cameras[::-1], detections(exchanged(scene.pixels)))
    assert found.reason.startswith("the ap image shows the patient from the side")


def test_too_few_landmarks_are_no_start(spine: Case, scenes: Sequence[Scene]) -> None:
    scene = scenes[0]
    confidence = np.zeros(scene.pixels.shape[:3])
    confidence[0] = 1.0
    confidence[1, 2, :3] = 1.0
    found = first_poses(spine, scene.cameras, detections(scene.pixels, confidence=confidence))
    assert found.reason.startswith("only 3 of 25 landmarks of the vertebrae are found in both images")
    assert np.isnan(found.T_reference_body).all()
    assert set(found.agreeing.values()) == {0}


def test_landmarks_on_a_line_are_no_start(spine: Case, scenes: Sequence[Scene]) -> None:
    scene = scenes[0]
    confidence = np.zeros(scene.pixels.shape[:3])
    confidence[:, :, LANDMARKS.index("centroid")] = 1.0
    found = first_poses(spine, scene.cameras, detections(scene.seen(1.0), confidence=confidence))
    assert found.reason.startswith("the 5 landmarks on which both images agree are too few or lie on one line")
