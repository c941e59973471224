"""The expected error of levels that the images determine well, badly, or not at all."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from radgs_core.case import Case
from radgs_core.geometry.camera import XrayCamera
from radgs_core.io import LevelPose, Poses, write_poses
from radgs_core.registration.learned import Learned
from radgs_core.registration.level_prior import LevelPrior
from radgs_core.registration.refinement import Refined
from radgs_core.registration.result import LevelResult
from radgs_core.registration.scene import ScenePoses
from radgs_core.registration.verdict import ERROR_SCALE_MM, expected_tre_mm, judge
from radgs_core.xray import CArm, biplanar_geometry, body_pose
from radgs_core.xray.observation import observe

SEEN, OTHER = 0, 1


def refined(case: Case, information: np.ndarray, precision: np.ndarray | None = None) -> Refined:
    """Where everything is in place, and looks right; without a prior unless the precision is given."""
    body = body_pose(case, list(case.levels))
    poses = ScenePoses(body, np.stack([body] * len(case.levels)))
    good = np.full((2, len(case.levels)), 0.8)
    return Refined(poses, True, 10, good, good, information, information if precision is None else precision)


def shaded(camera: XrayCamera) -> np.ndarray:
    """An image without saturation or blades."""
    return 1000 + np.random.default_rng(0).normal(size=(camera.height, camera.width))


def judged(case: Case, information: np.ndarray, learned: Learned | None) -> Mapping[str, LevelResult]:
    """Verdicts where everything looks right."""
    cameras = biplanar_geometry(CArm(size=128, pixel_mm=2.4)).views
    observations = [observe(shaded(camera), camera) for camera in cameras.values()]
    return judge(case, list(cameras), observations, refined(case, information), learned)


def full_information(case: Case) -> np.ndarray:
    """Positive definite, coupled, in the proportions of mm and rad."""
    size = 6 + 6 * len(case.levels)
    rows = np.random.default_rng(0).normal(size=(3 * size, size)) * np.tile(
        np.r_[np.ones(3), 30 * np.ones(3)], size // 6
    )
    return rows.T @ rows


def expected(case: Case, information: np.ndarray, index: int, precision: np.ndarray | None = None) -> float:
    label = list(case.levels)[index]
    all_refined = refined(case, information, precision)
    return expected_tre_mm(case.levels[label], all_refined.poses.levels[index], all_refined, index)


def test_a_level_that_only_shifts_has_the_error_of_its_shifts(phantom_case: Case) -> None:
    information = full_information(phantom_case)
    block = slice(6, 12)
    information[block], information[:, block] = 0.0, 0.0
    information[block, block] = np.diag([4.0, 4.0, 4.0, 1e10, 1e10, 1e10])
    assert expected(phantom_case, information, SEEN) == pytest.approx(
        ERROR_SCALE_MM * math.sqrt(3 / 4 * (1 - 0.8**2)), rel=1e-3
    )


def test_a_level_that_no_pixel_shows_has_no_bounded_error(phantom_case: Case) -> None:
    information = full_information(phantom_case)
    before = expected(phantom_case, information, SEEN)
    assert 0 < before < math.inf
    unseen = slice(12, 18)
    information[unseen], information[:, unseen] = 0.0, 0.0
    assert expected(phantom_case, information, OTHER) == math.inf
    assert 0 < expected(phantom_case, information, SEEN) < math.inf


def test_one_direction_without_information_is_enough(phantom_case: Case) -> None:
    """Along a skew direction, where no row of the information is zero but for rounding."""
    information = full_information(phantom_case)
    direction = np.zeros(len(information))
    direction[12:18] = 1.0
    direction /= np.linalg.norm(direction)
    blind = np.eye(len(information)) - np.outer(direction, direction)
    information = blind @ information @ blind
    assert expected(phantom_case, information, OTHER) == math.inf
    assert 0 < expected(phantom_case, information, SEEN) < math.inf


def test_what_the_networks_see_is_known_but_does_not_make_up_for_images_that_leave_a_level_free(
    phantom_case: Case,
) -> None:
    information = full_information(phantom_case)
    body = ScenePoses(np.eye(4), np.stack([np.eye(4)] * 2))
    prior = 1e6 * LevelPrior(body.levels, np.zeros((2, 3))).evaluate(body).curvature
    alone, with_prior = (expected(phantom_case, information, SEEN, p) for p in (None, information + prior))
    assert 0 < with_prior < 0.9 * alone
    information[12:18], information[:, 12:18] = 0.0, 0.0
    assert expected(phantom_case, information, OTHER, information + prior) == math.inf


def test_nothing_known_at_all(phantom_case: Case) -> None:
    assert expected(phantom_case, np.zeros_like(full_information(phantom_case)), SEEN) == math.inf


def test_an_undetermined_level_is_rejected_and_written_as_null(phantom_case: Case, tmp_path: Path) -> None:
    information = 1e4 * full_information(phantom_case)
    information[12:18], information[:, 12:18] = 0.0, 0.0
    seen, unseen = judged(phantom_case, information, None).values()
    assert seen.status == "registered"
    assert unseen.status == "rejected"
    assert unseen.reason.startswith(f"the images do not determine the pose of {unseen.label};")
    levels = {r.label: LevelPose(r.T_reference_ct, r.status, r.reason, r.expected_tre_mm) for r in (seen, unseen)}
    write_poses(tmp_path / "poses.json", Poses("carm_base", levels))
    written = json.loads((tmp_path / "poses.json").read_text())["levels"]
    assert written[unseen.label]["expected_tre_mm"] is None
    assert written[seen.label]["expected_tre_mm"] > 0


def seen_by_networks(case: Case, apart_mm: Sequence[float]) -> Learned:
    """Each level shifted by so much from where refinement leaves it, in a direction of its own."""
    body = body_pose(case, list(case.levels))
    poses = np.stack([body] * len(case.levels))
    poses[0, 0, 3] += apart_mm[0]
    poses[1, :3, 3] += np.array([0.0, 0.6, -0.8]) * apart_mm[1]
    return Learned(poses, np.zeros((len(poses), 6)), [], torch.zeros(0))


@pytest.mark.parametrize("apart_mm", [(2.8, 2.0), (2.0, 2.8), (2.5, 2.5), (2.7, 2.7)])
def test_a_level_that_the_networks_see_elsewhere_is_rejected(phantom_case: Case, apart_mm: tuple[float, ...]) -> None:
    results = judged(phantom_case, 1e4 * full_information(phantom_case), seen_by_networks(phantom_case, apart_mm))
    for (label, result), apart in zip(results.items(), apart_mm, strict=True):
        if apart < 2.6:
            assert (result.status, result.reason) == ("registered", "")
        else:
            assert result.status == "rejected"
            assert f"refinement ended {apart:.2f} mm from where the networks see {label}," in result.reason


@pytest.mark.parametrize(
    ("expected_mm", "apart_mm", "reason"),
    [
        (0.94, None, ""),
        (0.96, None, "known only to 0.96 mm, and 0.95 mm is the limit;"),
        (0.96, 0.0, "known only to 0.96 mm, and 0.95 mm is the limit;"),
        (0.8, 1.3, ""),
        (0.8, 1.5, "refinement ended 1.50 mm from where the networks see T12, and 1.40 mm is the limit where"),
        (0.5, 2.1, ""),
        (0.5, 2.3, "refinement ended 2.30 mm from where the networks see T12, and 2.21 mm is the limit where"),
    ],
)
def test_the_better_the_networks_agree_the_less_the_images_need_to_tell(
    phantom_case: Case, expected_mm: float, apart_mm: float | None, reason: str
) -> None:
    information = full_information(phantom_case)
    information *= (expected(phantom_case, information, SEEN) / expected_mm) ** 2
    learned = None if apart_mm is None else seen_by_networks(phantom_case, (apart_mm, 0.0))
    result = judged(phantom_case, information, learned)["T12"]
    assert result.expected_tre_mm == pytest.approx(expected_mm)
    assert result.status == ("rejected" if reason else "registered")
    assert reason in result.reason
