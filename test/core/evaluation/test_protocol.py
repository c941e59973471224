import dataclasses

import numpy as np
import pytest

from radgs_core.case import Case
from radgs_core.errors import InputError
from radgs_core.evaluation import evaluate
from radgs_core.io import LevelPose, Poses
from radgs_core.xray import CArm, biplanar_geometry

GEOMETRY = biplanar_geometry(CArm())
TRUTH = Poses("carm_base", {level: LevelPose(np.eye(4)) for level in ("L1", "T12", "T11")})


def moved(x: float, y: float, z: float) -> np.ndarray:
    pose = np.eye(4)
    pose[:3, 3] = x, y, z
    return pose


POSES = Poses(
    "carm_base",
    {"L1": LevelPose(moved(0, 2, 0), "rejected", "Blurred.", 1.5), "T12": LevelPose(moved(0, 0, 0.25))},
)


def test_each_level_of_the_poses_in_the_order_of_the_case(phantom_case: Case) -> None:
    t12, l1 = evaluate(phantom_case, POSES, TRUTH, GEOMETRY)
    assert (t12.label, t12.status, t12.expected_tre_mm) == ("T12", "registered", None)
    assert (l1.label, l1.status, l1.expected_tre_mm) == ("L1", "rejected", 1.5)
    assert (t12.tre_mm, l1.tre_mm) == pytest.approx((0.25, 2.0))
    assert t12.depth_mm["ap"] == pytest.approx(0.25) and l1.depth_mm["lateral"] == pytest.approx(2.0)


def test_the_targets_are_the_surface_points(phantom_case: Case) -> None:
    """A rotation about the centroid is felt the more, the further out the targets are."""
    vertebra = phantom_case.levels["L1"]
    angle = 0.02
    c, s = np.cos(angle), np.sin(angle)
    turn = np.array([[c, -s, 0, 0], [s, c, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])
    there, back = np.eye(4), np.eye(4)
    back[:3, 3] = vertebra.T_ct_vertebra[:3, 3]
    there[:3, 3] = -back[:3, 3]
    (error,) = evaluate(phantom_case, Poses("carm_base", {"L1": LevelPose(back @ turn @ there)}), TRUTH)
    radii = np.linalg.norm((vertebra.surface_points_mm - vertebra.T_ct_vertebra[:3, 3])[:, :2], axis=1)
    assert len(radii) >= 500
    assert error.tre_mm == pytest.approx(2 * np.sin(angle / 2) * radii.mean(), rel=1e-4)
    assert error.depth_mm == {}


@pytest.mark.parametrize(
    ("poses", "truth", "words"),
    [
        (POSES, dataclasses.replace(TRUTH, reference="tracker"), "the truth is in tracker"),
        (
            dataclasses.replace(POSES, reference="ct"),
            dataclasses.replace(TRUTH, reference="ct"),
            "geometry is in carm_",
        ),
        (dataclasses.replace(POSES, levels={}), TRUTH, "no levels"),
        (TRUTH, TRUTH, "T11, but the case does not; it holds T12, L1"),
        (POSES, dataclasses.replace(TRUTH, levels={"L1": TRUTH.levels["L1"]}), "T12, but the truth does not"),
    ],
)
def test_what_cannot_be_compared_is_refused(phantom_case: Case, poses: Poses, truth: Poses, words: str) -> None:
    with pytest.raises(InputError, match=words):
        evaluate(phantom_case, poses, truth, GEOMETRY)
