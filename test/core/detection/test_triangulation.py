"""First poses from detections that are as good, and as bad, as detectors make them."""

from collections.abc import Sequence

import numpy as np
import pytest
from made_spine import Scene, detections, made_case
from numpy.typing import NDArray

from radgs_core.case import Case
from radgs_core.detection import FirstPoses, first_poses
from radgs_core.detection.landmarks import LANDMARKS
from radgs_core.evaluation.tre import tre_mm

IMAGE_PX = 511
SIGHTINGS = 2 * len(LANDMARKS)
"""Of one level, when all of its landmarks are found in both views."""


def errors_mm(case: Case, scene: Scene, found: FirstPoses) -> NDArray[np.float64]:
    """(L,) TRE of the levels; what was found must be a start, of all levels and of rigid poses."""
    assert found.reason == ""
    assert list(found.T_reference_level) == list(case.levels)
    for pose in (found.T_reference_body, *found.T_reference_level.values()):
        np.testing.assert_allclose(pose[:3, :3] @ pose[:3, :3].T, np.eye(3), atol=1e-9)
        assert np.linalg.det(pose[:3, :3]) > 0
    return np.array(
        [
            tre_mm(case.levels[label].surface_points_mm, pose, true)
            for (label, pose), true in zip(found.T_reference_level.items(), scene.truth, strict=True)
        ]
    )


def test_without_noise_only_the_prior_keeps_a_level_from_its_place(spine: Case, scenes: Sequence[Scene]) -> None:
    for scene in scenes:
        found = first_poses(spine, scene.cameras, detections(scene.pixels, 0.1))
        assert errors_mm(spine, scene, found).max() < 0.5
        assert set(found.agreeing.values()) == {SIGHTINGS}
        assert found.residual_mm < 0.3


def test_noise_of_one_and_a_half_pixels(spine: Case, scenes: Sequence[Scene]) -> None:
    errors = [
        errors_mm(spine, scene, first_poses(spine, scene.cameras, detections(scene.seen(1.5)))) for scene in scenes
    ]
    assert np.median(errors) < 0.7
    assert np.max(errors) < 1.5


def test_vague_sightings_count_less_than_sharp_ones(spine: Case, scenes: Sequence[Scene]) -> None:
    told, untold = [], []
    for scene in scenes:
        sigma = np.where(scene.rng.random(scene.pixels.shape[:3]) < 0.5, 1.0, 8.0)
        pixels = scene.pixels + sigma[..., None] * scene.rng.normal(size=scene.pixels.shape)
        known = detections(pixels)
        known.sigma_px[:] = sigma
        told.append(errors_mm(spine, scene, first_poses(spine, scene.cameras, known)))
        untold.append(errors_mm(spine, scene, first_poses(spine, scene.cameras, detections(pixels, 4.5))))
    assert np.mean(told) < 0.75 * np.mean(untold)


def test_doubtful_sightings_may_be_wrong_in_both_views(spine: Case, scenes: Sequence[Scene]) -> None:
    """Half of all, which could not be told apart if the detector were sure of them."""
    for scene in scenes:
        pixels = scene.seen(1.5)
        wrong = scene.rng.random(pixels.shape[1:3]) < 0.5
        pixels[:, wrong] = scene.rng.uniform(0, IMAGE_PX, (2, wrong.sum(), 2))
        confidence = np.broadcast_to(np.where(wrong, 0.3, 0.9), pixels.shape[:3])
        found = first_poses(spine, scene.cameras, detections(pixels, confidence=confidence))
        assert np.median(errors_mm(spine, scene, found)) < 2.0


def test_a_level_taken_for_its_neighbour_stays_with_the_spine(spine: Case, scenes: Sequence[Scene]) -> None:
    """Two levels at the same place in both views; levels are 23 mm apart, and 3 mm of it is bending."""
    for scene in scenes:
        pixels = scene.seen(1.5)
        pixels[:, 1] = pixels[:, 2]
        found = first_poses(spine, scene.cameras, detections(pixels))
        errors = errors_mm(spine, scene, found)
        assert np.delete(errors, 1).max() < 1.5
        assert errors[1] < 8
        assert found.agreeing["T9"] == 0
        assert found.agreeing["T10"] == SIGHTINGS


def test_two_of_five_levels_off_by_one_hardly_move_the_spine(spine: Case, scenes: Sequence[Scene]) -> None:
    """Bending alone makes 2.6 mm of the body's error."""
    body_errors = []
    for scene in scenes:
        pixels = scene.seen(1.5)
        pixels[:, 0] = pixels[:, 1]
        pixels[:, 3] = 2 * pixels[:, 3] - pixels[:, 2]
        found = first_poses(spine, scene.cameras, detections(pixels))
        assert errors_mm(spine, scene, found)[[1, 2, 4]].max() < 1.5
        body_errors.append(
            [
                tre_mm(one.surface_points_mm, found.T_reference_body, true)
                for one, true in zip(spine.levels.values(), scene.truth, strict=True)
            ]
        )
    assert np.mean(body_errors) < 3.2


def test_levels_that_are_close_together_are_told_apart(scenes: Sequence[Scene]) -> None:
    """As in the neck."""
    case = made_case(("C3", "C4", "C5", "C6", "C7"), spacing_mm=14.0)
    for seed in range(12):
        scene = Scene(case, seed)
        pixels = scene.seen(1.5)
        pixels[:, 1] = pixels[:, 2]
        found = first_poses(case, scene.cameras, detections(pixels))
        errors = errors_mm(case, scene, found)
        assert np.delete(errors, 1).max() < 2.5
        assert errors[1] < 8


def test_a_level_taken_for_one_that_is_not_prepared(scenes: Sequence[Scene]) -> None:
    """With every third level prepared, half their distance is more than any level may be off."""
    case = made_case(("T6", "T9", "T12"), spacing_mm=54.0)
    for seed in range(12):
        scene = Scene(case, seed)
        pixels = scene.seen(1.5)
        pixels[:, 1] = (pixels[:, 0] + 2 * pixels[:, 1]) / 3
        found = first_poses(case, scene.cameras, detections(pixels))
        assert errors_mm(case, scene, found)[1] < 8
        assert found.agreeing["T9"] == 0


def test_some_levels_off_by_one_in_one_view(spine: Case, scenes: Sequence[Scene]) -> None:
    for scene in scenes:
        pixels = scene.seen(1.5)
        pixels[0, :3] = pixels[0, 1:4]
        errors = errors_mm(spine, scene, first_poses(spine, scene.cameras, detections(pixels)))
        assert errors[3:].max() < 1.5
        assert errors[:3].max() < 7, "of these only the lateral image tells"


@pytest.mark.parametrize("view", [0, 1])
def test_half_of_a_view_may_be_wrong(spine: Case, scenes: Sequence[Scene], view: int) -> None:
    errors = []
    for scene in scenes:
        pixels = scene.seen(1.5)
        sightings = pixels[view].reshape(-1, 2)
        wrong = scene.rng.permutation(len(sightings))[: len(sightings) // 2]
        sightings[wrong] = scene.rng.uniform(0, IMAGE_PX, (len(wrong), 2))
        errors.append(errors_mm(spine, scene, first_poses(spine, scene.cameras, detections(pixels))))
    assert np.median(errors) < 1.0
    assert np.max(errors) < 6, "a level may have lost everything that tells its depth"


def test_a_level_outside_one_view_uses_the_other(spine: Case, scenes: Sequence[Scene]) -> None:
    in_one, in_none = [], []
    for scene in scenes:
        for views, errors in (([1], in_one), ([0, 1], in_none)):
            pixels = scene.seen(1.5)
            confidence = np.ones(pixels.shape[:3])
            confidence[views, 0] = 0.2
            pixels[views, 0] = scene.rng.uniform(0, IMAGE_PX, (len(views), len(LANDMARKS), 2))
            found = first_poses(spine, scene.cameras, detections(pixels, confidence=confidence))
            level_errors = errors_mm(spine, scene, found)
            assert level_errors[1:].max() < 1.5
            errors.append(level_errors[0])
            assert found.agreeing["T8"] == SIGHTINGS - len(views) * len(LANDMARKS)
    assert np.max(in_none) < 10, "it stays with its neighbours"
    assert np.mean(in_one) < 0.7 * np.mean(in_none)


def test_a_single_level(scenes: Sequence[Scene]) -> None:
    case = made_case(("T8",))
    for seed in range(12):
        scene = Scene(case, seed)
        found = first_poses(case, scene.cameras, detections(scene.seen(1.5)))
        assert errors_mm(case, scene, found)[0] < 2


def test_the_same_detections_give_the_same_poses(spine: Case, scenes: Sequence[Scene]) -> None:
    first, second = (first_poses(spine, scenes[0].cameras, detections(scenes[0].pixels)) for _ in range(2))
    np.testing.assert_array_equal(list(first.T_reference_level.values()), list(second.T_reference_level.values()))


def test_detections_of_another_case_are_refused(spine: Case, scenes: Sequence[Scene]) -> None:
    with pytest.raises(ValueError, match="detections must be of"):
        first_poses(made_case(("T8", "T9")), scenes[0].cameras, detections(scenes[0].pixels))
