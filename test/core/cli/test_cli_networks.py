"""Commands on a case with networks: no start is needed. Detection is stood in for; its networks are untrained."""

import dataclasses
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from radgs_core.case import Case
from radgs_core.detection.triangulation import FirstPoses
from radgs_core.evaluation import tre_mm
from radgs_core.io import read_poses
from radgs_core.registration import pipeline


@pytest.fixture(scope="module")
def case(files: Any, untrained_networks: Callable[[Sequence[str]], Any], tmp_path_factory: Any) -> Path:
    folder: Path = tmp_path_factory.mktemp("networks") / "case"
    dataclasses.replace(Case.load(files.case), networks=untrained_networks(["T12", "L1"])).save(folder)
    return folder


@pytest.fixture
def detected(files: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Detection finds the truth."""
    truth = {level: pose.T_reference_ct for level, pose in read_poses(files.truth).levels.items()}

    class Right:
        def __init__(self, case: Case, networks: object) -> None:
            pass

        def find(self, observations: Sequence[object]) -> FirstPoses:
            return FirstPoses(truth["T12"], truth, {}, 1.0, "")

    monkeypatch.setattr(pipeline, "Finder", Right)


@pytest.fixture
def registration(files: Any, case: Path) -> list[object]:
    """Arguments without a start."""
    views = ["--ap", files.ap, "--lateral", files.lateral, "--geometry", files.geometry]
    return ["register", case, *views]


@pytest.mark.usefixtures("detected")
def test_register_without_a_start(registration: list[object], tmp_path: Path, run: Callable[..., Any]) -> None:
    options = ["--without", "learned", "--out", tmp_path / "poses.json", "--overlay", tmp_path]
    ended = run(*registration, *options, "--json")
    assert (ended.code, ended.err) == (0, "")
    result = json.loads(ended.out)
    assert list(result["seconds_by_stage"]) == ["images", "detection", "placement", "refinement", "verdict"]
    assert [level["status"] for level in result["levels"].values()] == ["registered", "registered"]
    assert result["attention"] == []
    table = run(*registration, *options)
    assert "stages: images 0." in table.out and "detection" in table.out and "learned" not in table.out
    picture = cv2.imread(str(tmp_path / "overlay_ap.png"))
    assert (picture.max(-1) != picture.min(-1)).any(), "outlines of what was found"


def test_a_detection_that_fails_is_exit_code_3(
    registration: list[object], tmp_path: Path, run: Callable[..., Any]
) -> None:
    options = ["--out", tmp_path / "poses.json", "--overlay", tmp_path, "--attention", tmp_path]
    ended = run(*registration, *options, "--json")
    assert (ended.code, ended.err) == (3, "")
    result = json.loads(ended.out)
    assert list(result["seconds_by_stage"]) == ["images", "detection"]
    for label, level in result["levels"].items():
        assert level["status"] == "rejected" and level["reason"]
        assert level["expected_tre_mm"] is None and level["similarity"] == {}
        written = read_poses(tmp_path / "poses.json").levels[label]
        assert (written.status, written.reason, written.expected_tre_mm) == ("rejected", level["reason"], None)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["overlay_ap.png", "overlay_lateral.png", "poses.json"]
    table = run(*registration)
    assert table.code == 3
    assert "nan" not in table.out and "inf" not in table.out
    assert table.out.count("rejected") >= 2 and "detection" in table.out


@pytest.mark.usefixtures("detected")
def test_attention_is_written_as_pictures(registration: list[object], tmp_path: Path, run: Callable[..., Any]) -> None:
    ended = run(*registration, "--without", "refinement", "--levels", "L1", "--attention", tmp_path / "new", "--json")
    assert ended.code == 3, "nothing verifies these poses"
    (file,) = json.loads(ended.out)["attention"]
    assert file == str(tmp_path / "new" / "attention_L1.png")
    picture = cv2.imread(file).astype(int)
    assert (np.ptp(picture, axis=2) > 60).any(), "coloured"


def test_a_start_can_be_given_all_the_same(registration: list[object], files: Any, run: Callable[..., Any]) -> None:
    """Networks say where refinement starts and are its prior, with a start as without; these are untrained, so a level
    may be rejected, but none may be registered in the wrong place."""
    vertebrae, truth = Case.load(files.case).levels, read_poses(files.truth).levels

    def right(label: str, level: dict[str, Any]) -> bool:
        pose = np.array(level["T_reference_ct"])
        return tre_mm(vertebrae[label].surface_points_mm, pose, truth[label].T_reference_ct) < 2

    ended = run(*registration, "--initial", files.truth, "--json")
    judged = json.loads(ended.out)
    assert list(judged["seconds_by_stage"]) == ["images", "placement", "learned", "refinement", "verdict"]
    rejected = [level["status"] == "rejected" for level in judged["levels"].values()]
    assert ended.code == (3 if any(rejected) else 0)
    ended = run(*registration, "--initial", files.truth, "--without", "learned", "--json")
    assert (ended.code, ended.err) == (0, "")
    alone = json.loads(ended.out)
    assert list(alone["seconds_by_stage"]) == ["images", "placement", "refinement", "verdict"]
    assert list(judged["levels"]) == list(alone["levels"]) == ["T12", "L1"]
    for label, level in judged["levels"].items():
        assert right(label, level) if level["status"] == "registered" else level["reason"]
        assert right(label, alone["levels"][label])
        assert level["T_reference_ct"] != alone["levels"][label]["T_reference_ct"], "the networks have a say"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--without", "detection"], "give --initial poses.json as well"),
        (["--without", "learned", "--attention", "maps"], "leave --attention out"),
        (["--without", "learned,verdict"], "'verdict' is not a stage"),
    ],
)
def test_stages_that_cannot_be_left_out(
    options: list[str], words: str, registration: list[object], run: Callable[..., Any]
) -> None:
    ended = run(*registration, *options)
    assert (ended.code, ended.out) == (2, "")
    assert words in ended.err and ended.err.count("\n") == 1


def test_info_shows_the_model_card(case: Path, files: Any, run: Callable[..., Any]) -> None:
    shown = run("info", case)
    assert (shown.code, shown.err) == (0, "")
    assert "networks: T12, L1" in shown.out and "# Untrained networks for T12, L1" in shown.out
    facts = json.loads(run("info", case, "--json").out)
    assert facts["networks"] == ["T12", "L1"] and facts["card"]["limits"] == "They find nothing."
    weights = run("info", case / "networks.safetensors")
    assert "kind: weights" in weights.out and "| error, mm | 12.5 |" in weights.out
    assert "networks: none" in run("info", files.case).out
