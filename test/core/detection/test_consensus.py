"""Superposition and consensus against poses that are known."""

import numpy as np
import pytest
from made_spine import Scene

from radgs_core.case import Case
from radgs_core.detection.consensus import agreed_pose, superposition
from radgs_core.detection.landmarks import landmarks_ct_mm
from radgs_core.detection.sightings import Sightings, projections_of
from radgs_core.geometry.rigid import rotation_about, rotation_angle_deg, transform_points

POSE = rotation_about(np.array([1.0, 2, 3]), np.array([100.0, -50, 20, 1.2, -2.0, 0.7]))


@pytest.mark.parametrize("count", [3, 10])
def test_superposition_finds_the_pose(count: int) -> None:
    points = np.random.default_rng(0).normal(scale=30, size=(4, count, 3))
    found = superposition(points, transform_points(POSE, points))
    np.testing.assert_allclose(found, np.broadcast_to(POSE, (4, 4, 4)), atol=1e-9)


def test_superposition_of_mirrored_points_is_a_rotation() -> None:
    points = np.random.default_rng(0).normal(scale=30, size=(10, 3))
    found = superposition(points, points * [-1, 1, 1])
    assert np.linalg.det(found[:3, :3]) == pytest.approx(1)


def test_half_of_the_points_may_be_wrong(spine: Case) -> None:
    scene = Scene(spine, 0, motion=1e-9)
    landmarks = np.concatenate([landmarks_ct_mm(one) for one in spine.levels.values()])
    points = transform_points(scene.truth[0], landmarks)
    wrong = scene.rng.permutation(len(points))[: len(points) // 2]
    points[wrong] += scene.rng.normal(scale=60, size=(len(wrong), 3))
    pixels = np.stack([camera.project(points) for camera in scene.cameras])[:, None]
    sightings = Sightings(
        landmarks[None], pixels, np.ones(pixels.shape[:3]), np.ones(pixels.shape[:3]), projections_of(scene.cameras),
        np.full(2, 0.4),
    )  # fmt: skip
    found = agreed_pose(landmarks, points, np.ones(len(points)), sightings, 10.0)
    assert np.abs(transform_points(found, landmarks) - transform_points(scene.truth[0], landmarks)).max() < 1e-6
    assert rotation_angle_deg(found @ np.linalg.inv(scene.truth[0])) < 1e-6


def test_points_are_tried_in_proportion_to_their_trust(spine: Case) -> None:
    """Four points to trust among a hundred; a triple of them is otherwise one draw in forty thousand."""
    scene = Scene(spine, 0)
    right = np.concatenate([landmarks_ct_mm(spine.levels["T9"])[:2], landmarks_ct_mm(spine.levels["T11"])[1:3]])
    landmarks = np.concatenate([right, scene.rng.normal(scale=50, size=(96, 3))])
    points = transform_points(scene.truth[0], landmarks)
    points[4:] += scene.rng.normal(scale=60, size=(96, 3))
    trust = np.where(np.arange(100) < 4, 1.0, 0.02)
    pixels = np.stack([camera.project(points) for camera in scene.cameras])[:, None]
    sightings = Sightings(
        landmarks[None], pixels, np.ones(pixels.shape[:3]), np.stack([trust[None]] * 2), projections_of(scene.cameras),
        np.full(2, 0.4),
    )  # fmt: skip
    found = agreed_pose(landmarks, points, trust, sightings, 10.0)
    assert np.abs(transform_points(found, right) - points[:4]).max() < 1e-6
