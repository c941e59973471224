import json
import math

import numpy as np
import pytest
import torch

from radgs_core.geometry.rigid import exp_se3
from radgs_core.io.poses_file import LevelPose, Poses, read_poses, write_poses

IDENTITY = np.eye(4).tolist()


def write(path, content):
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def with_level(**entry):
    return {"reference": "carm_base", "levels": {"L1": {"T_reference_ct": IDENTITY, **entry}}}


def test_written_poses_are_read_back_exactly(tmp_path):
    transform = exp_se3(torch.tensor([1 / 3, -200.0, 1e-8, 0.1, 2.0, -0.3], dtype=torch.float64)).numpy()
    poses = Poses(
        "carm_base",
        {
            "T12": LevelPose(transform, expected_tre_mm=0.4),
            "L1": LevelPose(np.eye(4), "rejected", 'outside the view "ap"', None),
        },
    )
    write_poses(tmp_path / "poses.json", poses)
    again = read_poses(tmp_path / "poses.json")
    assert again.reference == "carm_base"
    assert list(again.levels) == ["T12", "L1"]
    np.testing.assert_allclose(again.levels["T12"].T_reference_ct, transform, rtol=0, atol=1e-13)
    assert again.levels["T12"].expected_tre_mm == 0.4
    assert again.levels["T12"].status == "registered"
    assert again.levels["L1"].status == "rejected"
    assert again.levels["L1"].reason == 'outside the view "ap"'
    assert again.levels["L1"].expected_tre_mm is None


def test_only_the_transform_is_needed(tmp_path):
    pose = read_poses(write(tmp_path / "truth.json", with_level())).levels["L1"]
    assert (pose.status, pose.reason, pose.expected_tre_mm) == ("registered", "", None)


@pytest.mark.parametrize("unknown", [None, math.nan, math.inf])
def test_an_unknown_error_is_written_as_null(tmp_path, unknown):
    write_poses(tmp_path / "poses.json", Poses("base", {"L1": LevelPose(np.eye(4), expected_tre_mm=unknown)}))
    strict = json.loads((tmp_path / "poses.json").read_text(), parse_constant=pytest.fail)
    assert strict["levels"]["L1"]["expected_tre_mm"] is None
    assert set(strict["levels"]["L1"]) == {"status", "reason", "T_reference_ct", "expected_tre_mm"}


@pytest.mark.parametrize(
    ("levels", "words"),
    [
        ({"L1": LevelPose(np.full((4, 4), np.nan))}, ["level L1", "NaN"]),
        ({"L1": LevelPose(np.eye(4) * 2)}, ["level L1", "rigid"]),
        ({"L1": LevelPose(np.eye(4), "lost")}, ["level L1", "unknown status 'lost'"]),
        ({"L9": LevelPose(np.eye(4))}, ["unknown level 'L9'"]),
    ],
)
def test_bad_poses_are_not_written(tmp_path, refused, levels, words):
    path = tmp_path / "poses.json"
    path.write_text("old")
    with refused(path, *words):
        write_poses(path, Poses("base", levels))
    assert path.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ([], ["reference and levels"]),
        ({"reference": "base"}, ["reference and levels"]),
        ({"reference": "base", "levels": {}, "extra": 1}, ["reference and levels"]),
        ({"reference": "", "levels": {}}, ["reference must be the name"]),
        ({"reference": "base", "levels": []}, ["one entry per vertebra"]),
        ({"reference": "base", "levels": {"Th12": {"T_reference_ct": IDENTITY}}}, ["unknown level 'Th12'", "T1..T13"]),
        ({"reference": "base", "levels": {"L1": {}}}, ["level L1", "T_reference_ct"]),
        ({"reference": "base", "levels": {"L1": IDENTITY}}, ["level L1", "T_reference_ct"]),
        (with_level(status="fine"), ["level L1", "unknown status 'fine'", "registered or rejected"]),
        (with_level(status=["registered"]), ["level L1", "unknown status"]),
        (with_level(reason=3), ["level L1", "reason must be text"]),
        (with_level(expected_tre="0.4"), ["level L1", "unknown key 'expected_tre'", "expected_tre_mm"]),
        (with_level(expected_tre_mm="0.4"), ["level L1", "expected_tre_mm"]),
        (with_level(expected_tre_mm=-1), ["level L1", "expected_tre_mm"]),
        (with_level(T_reference_ct=IDENTITY[:3]), ["level L1", "4 rows of 4 numbers"]),
        (with_level(T_reference_ct=[["1", 0, 0, 0], *IDENTITY[1:]]), ["level L1", "not a number"]),
        (with_level(T_reference_ct=[[2, 0, 0, 0], *IDENTITY[1:]]), ["level L1", "not a rigid"]),
        (with_level(T_reference_ct=[[math.nan, 0, 0, 0], *IDENTITY[1:]]), ["NaN is not a number"]),
        ('{"reference": "base", "reference": "tracker", "levels": {}}', ["'reference' is given twice"]),
        ('{"reference": "base", ', ["not valid JSON"]),
        ("", ["not valid JSON"]),
        ("[" * 100_000, ["not valid JSON"]),
    ],
)
def test_bad_files_are_refused(tmp_path, refused, content, words):
    path = write(tmp_path / "poses.json", content)
    with refused(path, *words):
        read_poses(path)


def test_files_that_cannot_be_read_are_refused(tmp_path, refused):
    with refused(tmp_path / "nothing.json", "No such file"):
        read_poses(tmp_path / "nothing.json")
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\xfd\x81")
    with refused("binary.json", "not valid JSON"):
        read_poses(tmp_path / "binary.json")
