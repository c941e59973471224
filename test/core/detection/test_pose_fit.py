"""Fitted poses are where the objective, written out here a second time, is least."""

import numpy as np
import pytest
from made_spine import Scene
from numpy.typing import NDArray

from radgs_core.case import Case
from radgs_core.detection.landmarks import landmarks_ct_mm
from radgs_core.detection.pose_fit import SOFTNESS, Motion, fitted_poses
from radgs_core.detection.sightings import Sightings, projections_of
from radgs_core.geometry.camera import XrayCamera
from radgs_core.geometry.rigid import rotation_about, rotation_angle_deg, transform_points

MM_PER_PIXEL = 0.4


def sightings_of(case: Case, scene: Scene, pixels: NDArray[np.float64]) -> Sightings:
    shape = pixels.shape[:3]
    return Sightings(
        np.stack([landmarks_ct_mm(one) for one in case.levels.values()]),
        pixels,
        scene.rng.uniform(0.5, 1.5, shape),
        scene.rng.uniform(0.5, 1.0, shape),
        projections_of(scene.cameras),
        np.full(2, MM_PER_PIXEL),
    )


def starts_of(scene: Scene) -> NDArray[np.float64]:
    offset = rotation_about(scene.truth[0, :3, 3], np.array([3.0, -2, 2, 0.03, 0.02, -0.03]))
    return offset @ scene.truth


def objective(
    sightings: Sightings,
    cameras: list[XrayCamera],
    level: int,
    pose: NDArray[np.float64],
    start: NDArray[np.float64],
    motion: Motion,
) -> float:
    landmarks, total = sightings.landmarks_mm[level], 0.0
    for view, camera in enumerate(cameras):
        errors = (camera.project(transform_points(pose, landmarks)) - sightings.pixels[view, level]) * MM_PER_PIXEL
        squares = (errors**2).sum(-1) / sightings.sigma_mm[view, level] ** 2
        losses = SOFTNESS**2 / 2 * np.log1p(squares / SOFTNESS**2)
        total += float(sightings.weights[view, level] @ losses)
    middle = landmarks.mean(0)
    shift = np.linalg.norm(transform_points(pose, middle) - transform_points(start, middle))
    turn = rotation_angle_deg(pose @ np.linalg.inv(start))
    return total + float(shift / motion.shift_mm) ** 2 / 2 + (turn / motion.turn_deg) ** 2 / 2


@pytest.mark.parametrize("motion", [Motion(3.0, 3.0), Motion(0.3, 0.4), Motion(300.0, 180.0)])
def test_no_small_step_lowers_the_objective(spine: Case, motion: Motion) -> None:
    scene = Scene(spine, 3)
    pixels = scene.seen(2.0)
    pixels[0, :, 2] += 60  # and one wrong landmark a level
    sightings, starts = sightings_of(spine, scene, pixels), starts_of(scene)
    poses = fitted_poses(sightings, starts, motion)
    for level, (pose, start) in enumerate(zip(poses, starts, strict=True)):
        middle = transform_points(pose, sightings.landmarks_mm[level].mean(0))
        found = objective(sightings, scene.cameras, level, pose, start, motion)
        assert found < objective(sightings, scene.cameras, level, start, start, motion)
        for step in np.concatenate([np.eye(6), -np.eye(6)]) * ([0.05] * 3 + [0.001] * 3):
            aside = rotation_about(middle, step) @ pose
            assert found < objective(sightings, scene.cameras, level, aside, start, motion)


def test_without_noise_the_truth_is_found(spine: Case) -> None:
    scene = Scene(spine, 1)
    poses = fitted_poses(sightings_of(spine, scene, scene.pixels), starts_of(scene), Motion(1e4, 1e4))
    np.testing.assert_allclose(poses, scene.truth, atol=1e-3)


def test_what_is_not_seen_stays_at_its_start(spine: Case) -> None:
    scene = Scene(spine, 2)
    sightings, starts = sightings_of(spine, scene, scene.pixels), starts_of(scene)
    sightings.weights[:, 2] = 0.0
    poses = fitted_poses(sightings, starts, Motion(3.0, 3.0))
    np.testing.assert_allclose(poses[2], starts[2], atol=1e-9)
    assert np.abs(poses[1] - starts[1]).max() > 1


def test_the_errors_are_those_of_the_cameras(spine: Case) -> None:
    scene = Scene(spine, 4)
    pixels = scene.seen(5.0)
    errors = sightings_of(spine, scene, pixels).errors_mm(scene.truth)
    expected = np.linalg.norm(pixels - scene.pixels, axis=-1) * MM_PER_PIXEL
    np.testing.assert_allclose(errors, expected, atol=1e-9)
    many = sightings_of(spine, scene, pixels).errors_mm(np.stack([scene.truth, starts_of(scene)]))
    np.testing.assert_allclose(many[:, 0], expected, atol=1e-9)


def test_nothing_is_seen_behind_the_source(spine: Case) -> None:
    scene = Scene(spine, 5)
    sightings = sightings_of(spine, scene, scene.pixels)
    behind = scene.truth.copy()
    behind[:, :3, 3] -= 1000 * scene.cameras[0].T_reference_camera[:3, 2]
    assert np.isinf(sightings.errors_mm(behind)[0]).all()
