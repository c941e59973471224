"""radgs-reg prepare --minutes; the training itself is stood in for, it has tests of its own."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from radgs_core.case import Case
from radgs_core.networks import Networks
from radgs_core.progress import Progress
from radgs_core.radgs.gaussians import RadiativeGaussians
from radgs_core.training import patient_training

Options = dict[str, object]


@pytest.fixture(autouse=True)
def fit_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    gaussians = RadiativeGaussians(torch.zeros(1, 3), torch.ones(1, 3), torch.eye(4)[:1], torch.ones(1))
    monkeypatch.setattr("radgs_core.preparation.prepare.fit_gaussians", lambda attenuation, progress: gaussians)


@pytest.fixture
def trainings(
    untrained_networks: Callable[[Sequence[str]], Networks], monkeypatch: pytest.MonkeyPatch
) -> list[tuple[float, Path, Options]]:
    """Training ends at once; the list has minutes, folder and options of each that was asked for."""
    asked: list[tuple[float, Path, Options]] = []

    def train(case: Case, minutes: float, folder: Path, progress: Progress, **options: object) -> Networks:
        asked.append((minutes, folder, options))
        progress(0.5, "step 3")
        for part in ("detection", "levels"):
            (folder / part).mkdir(parents=True, exist_ok=True)
            (folder / part / "checkpoint.pt").write_text("weights")
            (folder / part / "curves.csv").write_text("step\n")
        return untrained_networks(list(case.levels))

    monkeypatch.setattr(patient_training, "trained_networks", train)
    return asked


@pytest.fixture
def preparation(files: Any, tmp_path: Path) -> list[object]:
    return ["prepare", files.ct, files.labels, "--levels", "L1,T12", "--out", tmp_path / "case"]


def below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_networks_are_trained_into_the_case(
    trainings: list[tuple[float, Path, Options]], preparation: list[object], tmp_path: Path, run: Callable[..., Any]
) -> None:
    ended = run(*preparation, "--minutes", "0.5", "--device", "cpu", "--seed", "7", "--json")
    assert (ended.code, ended.err) == (0, "")
    options = {"seed": 7, "accelerator": "cpu", "prior": None}
    assert trainings == [(0.5, tmp_path / "case.training", options)]
    assert json.loads(ended.out)["networks"] == {"steps": 0, "minutes": 0.0, "metrics": {"error, mm": 12.5}}
    networks = Case.load(tmp_path / "case").networks
    assert networks is not None and list(networks.levels) == ["T12", "L1"]
    assert below(tmp_path / "case.training") == {"detection/curves.csv", "levels/curves.csv"}, "no checkpoints"


def test_without_minutes_there_are_no_networks(
    trainings: list[tuple[float, Path, Options]], preparation: list[object], tmp_path: Path, run: Callable[..., Any]
) -> None:
    """And a training that was interrupted is left as it is."""
    (tmp_path / "case.training" / "levels").mkdir(parents=True)
    (tmp_path / "case.training" / "levels" / "checkpoint.pt").write_text("weights")
    ended = run(*preparation, "--json")
    assert ended.code == 0
    assert json.loads(ended.out)["networks"] is None
    assert trainings == [] and Case.load(tmp_path / "case").networks is None
    assert below(tmp_path / "case.training") == {"levels/checkpoint.pt"}


def test_training_begins_with_given_weights(
    trainings: list[tuple[float, Path, Options]],
    untrained_networks: Callable[[Sequence[str]], Networks],
    preparation: list[object],
    tmp_path: Path,
    run: Callable[..., Any],
) -> None:
    weights = tmp_path / "p1.safetensors"
    untrained_networks(["T12"]).save(weights)
    assert run(*preparation, "--minutes", "1", "--weights", weights).code == 0
    assert [options["prior"] for _, _, options in trainings] == [weights]


def test_an_interrupted_training_can_be_continued(
    preparation: list[object], tmp_path: Path, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(case: Case, minutes: float, folder: Path, progress: Progress, **options: object) -> Networks:
        (folder / "detection").mkdir(parents=True)
        (folder / "detection" / "checkpoint.pt").write_text("weights")
        raise KeyboardInterrupt

    monkeypatch.setattr(patient_training, "trained_networks", interrupted)
    ended = run(*preparation, "--minutes", "1")
    assert ended.code == 130
    assert str(tmp_path / "case.training") in ended.err and "the same command goes on" in ended.err
    assert below(tmp_path) == {"case.training/detection/checkpoint.pt"}


def weights_without_minutes(tmp: Path) -> tuple[list[object], str]:
    return ["--weights", tmp / "p1.safetensors"], "give --minutes as well"


def missing_weights(tmp: Path) -> tuple[list[object], str]:
    return ["--minutes", 1, "--weights", tmp / "p1.safetensors"], "p1.safetensors does not exist"


def no_cuda(tmp: Path) -> tuple[list[object], str]:
    return ["--minutes", 1, "--device", "cuda"], "no CUDA device"


def file_in_the_way(tmp: Path) -> tuple[list[object], str]:
    (tmp / "case.training").write_text("mine")
    return ["--minutes", 1], "case.training"


@pytest.mark.parametrize("wrong", [weights_without_minutes, missing_weights, no_cuda, file_in_the_way])
def test_what_cannot_be_trained_is_refused_before_anything_is_prepared(
    wrong: Callable[[Path], tuple[list[object], str]],
    preparation: list[object],
    tmp_path: Path,
    run: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def prepared(*arguments: object) -> Case:
        raise AssertionError("prepared all the same")

    monkeypatch.setattr("radgs_core.commands.prepare.prepared", prepared)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    options, words = wrong(tmp_path)
    ended = run(*preparation, *options)
    assert (ended.code, ended.out) == (2, "")
    assert words in ended.err and ended.err.count("\n") == 1, ended.err
