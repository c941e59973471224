"""What is counted over which levels."""

import math
from types import MappingProxyType

import numpy as np
import pytest
import torch
from phantom import CENTRES_MM

from radgs_core.case import Case
from radgs_core.evaluation import (
    LevelError,
    LevelRecord,
    ReconstructionQuality,
    StudyRecord,
    SystemResult,
    accuracy_of,
    recorded,
)
from radgs_core.geometry.rigid import rotation_about
from radgs_core.io import LevelPose, Poses
from radgs_core.radgs import RadiativeGaussians
from radgs_core.xray import CArm, biplanar_geometry

GEOMETRY = biplanar_geometry(CArm())


def record(seed: int, *levels: LevelRecord, **stages: float) -> StudyRecord:
    return StudyRecord(seed, levels, sum(stages.values()), stages)


def level(tre_mm: float, status: str, visible: bool, ssim: float | None = None) -> LevelRecord:
    quality = None if ssim is None else ReconstructionQuality(ssim, 10 * ssim, ssim / 2, 5 * ssim)
    return LevelRecord(LevelError("L1", status, tre_mm, 0.5), visible, quality)


STUDIES = [
    record(
        1,
        level(0.2, "registered", True, 0.8),
        level(0.9, "rejected", True, 0.9),
        level(0.8, "rejected", False, 0.1),
        detection=1.0,
        refinement=3.0,
    ),
    record(
        2,
        level(0.4, "registered", True),
        level(2.5, "registered", True, 1.0),
        level(7.0, "registered", False),
        detection=2.0,
        refinement=5.0,
    ),
]


def test_errors_are_of_visible_levels_and_wrong_accepts_of_all() -> None:
    found = accuracy_of(STUDIES)
    assert (found.visible.levels, found.every.levels) == (4, 6)
    assert found.visible.median_mm == pytest.approx(0.65)
    assert found.every.median_mm == pytest.approx(0.85)
    assert found.visible.wrong_accepts == 1
    assert found.wrong_accepts == 2
    assert found.needless_reject_percent == pytest.approx(25.0)


def test_reconstructions_are_of_visible_levels() -> None:
    quality = accuracy_of(STUDIES).quality
    assert quality is not None
    assert quality.levels == 3
    assert (quality.mean.ssim, quality.mean.psnr_db) == pytest.approx((0.9, 9.0))
    assert (quality.mean.vertebra_ssim, quality.mean.vertebra_psnr_db) == pytest.approx((0.45, 4.5))
    assert quality.std.ssim == pytest.approx(math.sqrt(0.02 / 3))
    assert accuracy_of(STUDIES[1:]).quality is not None
    without = record(3, level(0.4, "registered", True), detection=1.0)
    assert accuracy_of([without]).quality is None


def test_seconds_are_means_over_studies_also_of_stages_that_some_skip() -> None:
    found = accuracy_of([*STUDIES, record(3, level(0.1, "registered", True), detection=3.0)])
    assert found.seconds == pytest.approx(14 / 3)
    assert dict(found.seconds_by_stage) == pytest.approx({"detection": 2.0, "refinement": 8 / 3})
    assert list(found.seconds_by_stage) == ["detection", "refinement"]


def test_a_study_is_compared_with_its_truth(phantom_case: Case) -> None:
    """T12 is 2 mm off and reconstructed where it truly is, L1 is in place and not reconstructed."""
    truth = rotation_about(np.zeros(3), np.array([30, 20, -10, 0.3, -0.2, 0.5]))
    off = truth.copy()
    off[:3, 3] += [0, 2.0, 0]
    centre = truth[:3, :3] @ np.array(CENTRES_MM["T12"]) + truth[:3, 3]
    one = RadiativeGaussians(
        torch.tensor(centre[None], dtype=torch.float32),
        torch.full((1, 3), 6.0),
        torch.tensor([[1.0, 0, 0, 0]]),
        torch.tensor([0.01]),
    )
    poses = Poses("carm_base", {"T12": LevelPose(off, "rejected", "Why not.", 1.5), "L1": LevelPose(truth)})
    result = SystemResult(poses, 0.7, MappingProxyType({"refinement": 0.7}), {"T12": one})
    true = Poses("carm_base", dict.fromkeys(phantom_case.levels, LevelPose(truth)))
    found = recorded(phantom_case, 5, result, true, GEOMETRY, {"L1"})
    t12, l1 = found.levels
    assert (found.seed, found.seconds, dict(found.seconds_by_stage)) == (5, 0.7, {"refinement": 0.7})
    assert (t12.error.tre_mm, l1.error.tre_mm) == pytest.approx((2.0, 0.0))
    assert (t12.error.status, t12.visible, l1.visible) == ("rejected", False, True)
    assert l1.quality is None and t12.quality is not None
    # one Gaussian in the body of the vertebra explains some of it; out of place, it would explain nothing
    assert t12.quality.vertebra_ssim > 0.1
