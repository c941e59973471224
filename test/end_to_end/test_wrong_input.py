"""X-rays that are exchanged, mirrored or of another place must be rejected: a wrong pose that looks right can hurt."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from radgs_core.case import Case
from radgs_core.geometry.rigid import transform_points
from radgs_core.io import read_geometry, read_poses, read_xray
from radgs_core.registration.pipeline import register

Images = dict[str, NDArray]
WRONG_MM = 2.0


def exchanged(images: Images) -> Images:
    return {"ap": images["lateral"], "lateral": images["ap"]}


def mirrored(images: Images) -> Images:
    return images | {"ap": images["ap"][:, ::-1].copy()}


def upside_down(images: Images) -> Images:
    return {view: image[::-1, ::-1].copy() for view, image in images.items()}


@pytest.mark.parametrize("damage", [exchanged, mirrored, upside_down])
def test_no_level_of_wrong_images_is_registered(
    case: Path, study: Path, start: Path, damage: Callable[[Images], Images]
) -> None:
    geometry = read_geometry(study / "geometry.yaml")
    images = {view: read_xray(study / f"{view}.png", camera) for view, camera in geometry.views.items()}
    initial = {level: pose.T_reference_ct for level, pose in read_poses(start).levels.items()}
    result = register(Case.load(case), damage(images), geometry, initial)
    assert [level.status for level in result.levels.values()] == ["rejected", "rejected"]
    assert all(level.label in level.reason for level in result.levels.values())


def test_a_start_far_away_never_gives_a_wrong_registered_pose(case: Path, study: Path) -> None:
    prepared = Case.load(case)
    geometry = read_geometry(study / "geometry.yaml")
    images = {view: read_xray(study / f"{view}.png", camera) for view, camera in geometry.views.items()}
    truth = {level: pose.T_reference_ct for level, pose in read_poses(study / "truth.json").levels.items()}
    away = np.eye(4)
    away[:3, 3] = [45.0, 20.0, -30.0]
    result = register(prepared, images, geometry, {level: away @ pose for level, pose in truth.items()})
    for label, level in result.levels.items():
        points = prepared.levels[label].surface_points_mm.astype(np.float64)
        error = transform_points(level.T_reference_ct, points) - transform_points(truth[label], points)
        assert level.status == "rejected" or np.linalg.norm(error, axis=1).mean() < WRONG_MM
