"""Levels beside the image or behind blades are not asked for."""

import numpy as np
import pytest
from numpy.typing import NDArray

from radgs_core.case import Case
from radgs_core.evaluation import visible_levels
from radgs_core.xray import CArm, biplanar_geometry, body_pose
from radgs_core.xray.observation import observe
from radgs_core.xray.visibility import visible_share

GEOMETRY = biplanar_geometry(CArm(pixel_mm=2.4, size=64))
IMAGE = np.random.default_rng(0).uniform(100, 200, (64, 64)).astype(np.float32)
IMAGES = {"ap": IMAGE, "lateral": IMAGE}


def shifted(pose: NDArray[np.float64], x: float, y: float, z: float) -> NDArray[np.float64]:
    result = pose.copy()
    result[:3, 3] += x, y, z
    return result


@pytest.fixture(scope="module")
def pose(phantom_case: Case) -> NDArray[np.float64]:
    return body_pose(phantom_case, list(phantom_case.levels))


def test_what_both_views_show_is_visible(phantom_case: Case, pose: NDArray[np.float64]) -> None:
    assert visible_levels(phantom_case, IMAGES, GEOMETRY, {"T12": pose, "L1": pose}) == {"T12", "L1"}


@pytest.mark.parametrize(
    ("beside", "view"), [((0, 90, 0), "ap"), ((0, 0, 90), "lateral")], ids=["of the AP view", "of the lateral view"]
)
def test_a_level_beside_one_view_is_not(
    phantom_case: Case, pose: NDArray[np.float64], beside: tuple[float, float, float], view: str
) -> None:
    away = shifted(pose, *beside)
    shares = {
        name: visible_share(phantom_case.levels["L1"], away, observe(IMAGE, camera))
        for name, camera in GEOMETRY.views.items()
    }
    assert shares.pop(view) == 0 and list(shares.values()) == [1]
    assert visible_levels(phantom_case, IMAGES, GEOMETRY, {"T12": pose, "L1": away}) == {"T12"}


def test_seven_tenths_are_enough(phantom_case: Case, pose: NDArray[np.float64]) -> None:
    """A level that leaves over the image's right border, step by step."""
    camera = GEOMETRY.views["ap"]
    seen = []
    for shift in np.arange(30, 70, 1.0):
        away = shifted(pose, 0, -shift, 0)
        pixels = camera.project(
            phantom_case.levels["L1"].surface_points_mm @ away[:3, :3].T.astype(np.float64) + away[:3, 3]
        )
        share = (np.abs(pixels - 31.5) < 31.5).all(1).mean()
        if abs(share - 0.7) > 0.03:  # pixels at the border count or not
            seen.append(share)
            visible = visible_levels(phantom_case, IMAGES, GEOMETRY, {"L1": away})
            assert visible == ({"L1"} if share > 0.7 else set()), share
    assert min(seen) < 0.5 and max(seen) > 0.9


@pytest.mark.parametrize(
    ("saturated", "visible"), [(np.s_[:22, :], set()), (np.s_[:, :22], {"L1"})], ids=["rows", "columns"]
)
def test_a_level_behind_what_is_not_usable_is_not(
    phantom_case: Case, pose: NDArray[np.float64], saturated: tuple[slice, slice], visible: set[str]
) -> None:
    """A level in the upper part of the AP view, in the middle of its width."""
    image = IMAGE.copy()
    image[saturated] = IMAGE.max() + 1
    upper = shifted(pose, 35, 0, 0)
    assert visible_levels(phantom_case, IMAGES, GEOMETRY, {"L1": upper}) == {"L1"}
    assert visible_levels(phantom_case, {**IMAGES, "ap": image}, GEOMETRY, {"L1": upper}) == visible
