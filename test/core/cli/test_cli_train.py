"""radgs-reg train; the trainings themselves are stood in for, they have tests of their own."""

import dataclasses
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from radgs_core.case import Case
from radgs_core.networks import LevelNetworks, Networks
from radgs_core.progress import Progress
from radgs_core.training import full_training, prior_cases, prior_training
from radgs_core.training.prior_training import TrainedPrior
from radgs_core.training.processes import Process
from radgs_core.training.xray_pairs import XrayPair

Run = Callable[..., Any]


@pytest.fixture
def networks(untrained_networks: Callable[[Sequence[str]], Networks]) -> Networks:
    return untrained_networks(["T12", "L1"])


@pytest.fixture
def case(files: Any, networks: Networks, tmp_path: Path) -> Path:
    dataclasses.replace(Case.load(files.case), networks=networks).save(tmp_path / "case")
    return tmp_path / "case"


@pytest.fixture
def asked(networks: Networks, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What was asked for; both trainings end at once."""
    seen: list[tuple[Any, ...]] = []

    def cases(data: Path, folder: Path, share: float, seed: int, process: Process, progress: Progress) -> Any:
        seen.append((data, folder, share, seed, process))
        progress(0.5, "patient 1 of 2")
        return prior_cases.PriorCases(prior_cases.KeptCases([]), prior_cases.KeptCases([]))

    def prior(
        training: object, validation: object, minutes: float, folder: Path, progress: Progress, **options: object
    ) -> TrainedPrior:
        seen.append((minutes, folder, options))
        return TrainedPrior(networks.per_level, networks.card)

    def full(
        case: Case, pairs: Sequence[XrayPair], minutes: float, folder: Path, progress: Progress, **options: object
    ) -> Networks:
        seen.append(([pair.name for pair in pairs], minutes, folder, options))
        return dataclasses.replace(networks, card=dataclasses.replace(networks.card, what="Adapted"))

    monkeypatch.setattr(prior_cases, "prior_cases", cases)
    monkeypatch.setattr(prior_training, "trained_prior", prior)
    monkeypatch.setattr(full_training, "fully_trained", full)
    return seen


def test_prior(run: Run, asked: list[tuple[Any, ...]], tmp_path: Path) -> None:
    out = tmp_path / "prior.safetensors"
    options = ["--seed", 3, "--device", "cpu", "--validation-share", 0.3, "--preset", "paper", "--json"]
    ended = run("train", "prior", tmp_path, "--out", out, "--minutes", 2, *options)
    assert ended.code == 0, ended.err
    work = tmp_path / "prior.safetensors.training"
    assert asked[0] == (tmp_path, work / "cases", 0.3, 3, Process(0, 1))
    assert asked[1] == (2.0, work / "prior", {"seed": 3, "accelerator": "cpu", "preset": "paper"})
    result = json.loads(ended.out)
    assert result["out"] == str(out) and result["metrics"] == {"error, mm": 12.5}
    assert LevelNetworks.read(out).recm.preset.channels == 8
    assert "## Intended use" in Path(result["card"]).read_text()


def test_full(run: Run, asked: list[tuple[Any, ...]], files: Any, case: Path, tmp_path: Path) -> None:
    ended = run("train", "full", case, files.study, "--out", case, "--minutes", 1.5, "--work", tmp_path / "work")
    assert ended.code == 0, ended.err
    assert asked == [([str(files.study)], 1.5, tmp_path / "work" / "full", {"seed": 0, "accelerator": "auto"})]
    adapted = Case.load(case).networks
    assert adapted is not None and adapted.card.what == "Adapted"
    assert (tmp_path / "case.md").read_text().startswith("# Adapted")
    assert str(case) in ended.out


def test_only_the_first_process_writes(
    run: Run, asked: list[tuple[Any, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.distributed.is_torchelastic_launched", lambda: True)
    for rank, written in (("1", False), ("0", True)):
        monkeypatch.setenv("RANK", rank)
        monkeypatch.setenv("WORLD_SIZE", "2")
        out = tmp_path / rank / "prior.safetensors"
        ended = run("train", "prior", tmp_path, "--out", out, "--minutes", 1)
        assert ended.code == 0 and bool(ended.out) == written and out.exists() == written
    assert asked[0][-1] == Process(1, 2)


def test_where_to_go_on_is_told(
    run: Run, asked: list[tuple[Any, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(prior_training, "trained_prior", interrupted)
    ended = run("train", "prior", tmp_path, "--out", tmp_path / "p.safetensors", "--minutes", 1)
    assert ended.code == 130
    assert f"The training so far is in {tmp_path / 'p.safetensors.training'}" in ended.err


def test_bad_input(run: Run, asked: list[tuple[Any, ...]], files: Any, case: Path, tmp_path: Path) -> None:
    out, minutes = ["--out", tmp_path / "w.safetensors"], ["--minutes", 1]
    for arguments, told in (
        (["prior", tmp_path, "--out", tmp_path / "weights.pt", *minutes], "does not end in .safetensors"),
        (["prior", tmp_path, *out, "--minutes", 0], "argument --minutes: must be above 0"),
        (["prior", tmp_path, *out, *minutes, "--validation-share", 1], "must be above 0 and below 1"),
        (["prior", tmp_path, *out], "required: --minutes"),
        (["full", files.case, files.study, "--out", tmp_path / "c", *minutes], "has no networks to train on"),
        (["full", case, tmp_path / "no", "--out", tmp_path / "c", *minutes], "does not exist or is not a folder"),
        (["full", case, "--out", tmp_path / "c", *minutes], "required: STUDY"),
        (["full", case, files.study, "--out", files.study, *minutes], "exists and is not a case"),
        ([], "required: STAGE"),
    ):
        ended = run("train", *arguments)
        assert ended.code == 2 and told in ended.err, ended.err
        assert ended.err.count("\n") == 1
    assert asked == []
