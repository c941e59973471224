"""P2 on the phantom, as short as can be: what is trained from what, and what the card tells of it."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from level_fixtures import SMALL, SMALL_REGM, networks, silent

from radgs_core.case import Case
from radgs_core.detection.network import DetectionSize
from radgs_core.errors import InputError
from radgs_core.io.model_card import ModelCard, TrainingData
from radgs_core.io.sha256 import sha256_of
from radgs_core.networks import Networks
from radgs_core.training import detection_task, level_task, patient_training
from radgs_core.training.patient_training import (
    LevelStart,
    patient_card,
    patient_scenes,
    train_levels,
    trained_detection,
    trained_networks,
)
from radgs_core.training.positions import Position
from radgs_core.training.scenes import PatientScenes, Scene, SceneSampler
from radgs_core.training.task import Validation
from radgs_core.training.trainer import Outcome

MINUTES = 0.05
OUTCOME = Outcome(100, 60.0, 50, Validation(2.0, {"place": 0.5}))


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patient_training, "RECM_PRESETS", {"cpu": SMALL})
    monkeypatch.setattr(patient_training, "REGM_PRESETS", {"cpu": SMALL_REGM})
    monkeypatch.setattr(patient_training, "DetectionSize", lambda: DetectionSize((4, 4), 1))
    for module in (detection_task, level_task):
        monkeypatch.setattr(module, "VALIDATION_SCENES", 1)
    for batch in ("DETECTION_BATCH", "LEVEL_BATCH"):
        monkeypatch.setattr(patient_training, batch, 1)


@pytest.fixture
def case(phantom_case: Case) -> Case:
    inputs = {"inputs": {"ct": {"name": "ct", "sha256": "12ab"}, "labels": {"name": "labels", "sha256": "34cd"}}}
    return dataclasses.replace(phantom_case, provenance=inputs)


def prior(path: Path, scale: float = 1.0) -> Path:
    """Weights as if of other patients."""
    made = networks()
    made.regm.correction.bias.data.mul_(scale)
    data = (TrainingData("other patients", ("56ef",)), TrainingData("validation: others", ("78ab",)))
    made.save(path, ModelCard("A prior", data, (11,), 1000, 8.0, {}, "0.1.0", "2026-01-01", "Tests.", "None."))
    return path


def assert_same_weights(a: torch.nn.Module, b: torch.nn.Module) -> None:
    assert all(torch.equal(one, two) for one, two in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def test_networks_of_a_patient(case: Case, tmp_path: Path) -> None:
    told: list[float] = []
    trained = trained_networks(
        case, MINUTES, tmp_path / "work", lambda share, message: told.append(share), seed=3, accelerator="cpu"
    )
    assert told == sorted(told) and 0.9 < told[-1] <= 1
    card = trained.card
    assert trained.levels == ("T12", "L1") and "T12, L1" in card.what
    assert [source.sha256 for source in card.data] == [("12ab", "34cd")] and card.seeds == (3,)
    assert card.steps > 2 and card.minutes > 0 and all(np.isfinite(list(card.metrics.values())))
    trained.save(tmp_path / "networks.safetensors")
    read = Networks.load(tmp_path / "networks.safetensors")
    again = trained_networks(case, MINUTES, tmp_path / "work", silent, seed=3, accelerator="cpu")
    assert again.card.steps == card.steps, "it is finished"
    for other in (read, again):
        assert_same_weights(other.detection, trained.detection)
        assert_same_weights(other.per_level.recm, trained.per_level.recm)
        assert_same_weights(other.per_level.regm, trained.per_level.regm)
        assert not (other.detection.training or other.per_level.recm.training or other.per_level.regm.training)


def test_training_goes_on_from_a_prior_and_says_so(
    case: Case, positions: Sequence[Position], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patient_training, "drawn_positions", lambda *_: positions)
    first = prior(tmp_path / "prior.safetensors")

    def trained(weights: Path | None) -> Networks:
        return trained_networks(case, MINUTES, tmp_path / "work", silent, seed=3, accelerator="cpu", prior=weights)

    card = trained(first).card
    assert [source.sha256 for source in card.data] == [("56ef",), ("78ab",), ("12ab", "34cd")]
    assert card.seeds == (11, 3) and card.steps > 1000 + 2 and card.minutes > 8.0
    for other in (prior(tmp_path / "other.safetensors", 2.0), None):
        with pytest.raises(InputError, match=rf"another configuration \(prior was {sha256_of(first)}, is"):
            trained(other)


def test_a_prior_is_what_training_begins_with(tmp_path: Path) -> None:
    start = LevelStart.after(prior(tmp_path / "prior.safetensors"))
    assert_same_weights(start.networks.recm, networks().recm)
    assert_same_weights(start.networks.regm, networks().regm)
    assert start.card is not None and start.card.what == "A prior"
    with pytest.raises(InputError, match=r"nothing\.safetensors"):
        LevelStart.after(tmp_path / "nothing.safetensors")


def test_a_card_adds_up_what_was_trained(case: Case, tmp_path: Path) -> None:
    new, after = LevelStart.new(networks()), LevelStart.after(prior(tmp_path / "prior.safetensors"))
    of_both = patient_card(case, new, OUTCOME, dataclasses.replace(OUTCOME, steps=30), seed=4)
    assert (of_both.steps, of_both.minutes, of_both.seeds) == (130, 2.0, (4,)) and len(of_both.metrics) == 2
    levels_only = patient_card(case, after, OUTCOME)
    assert (levels_only.steps, levels_only.minutes, levels_only.seeds) == (1100, 9.0, (11, 0))
    assert list(levels_only.metrics.values()) == [2.0]


class Counted:
    """Draws from a sampler, and counts."""

    def __init__(self, sampler: SceneSampler) -> None:
        self._sampler, self.count = sampler, 0

    def scene(self, rng: np.random.Generator) -> Scene:
        self.count += 1
        return self._sampler.scene(rng)


@pytest.mark.parametrize("part", ["detection", "levels"])
def test_training_and_validation_draw_from_their_own_scenes(
    case: Case, positions: Sequence[Position], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    tasks = []
    monkeypatch.setattr(patient_training, "train", lambda task, *_: tasks.append(task) or OUTCOME)
    training, validation = (Counted(SceneSampler(case, positions)) for _ in range(2))
    scenes = PatientScenes(training, validation)
    if part == "detection":
        trained_detection(case, scenes, MINUTES, tmp_path, silent)
    else:
        train_levels(case, scenes, LevelStart.new(networks()), MINUTES, tmp_path, silent)
    assert (training.count, validation.count) == (0, 1)
    tasks[0].sample(np.random.default_rng(0))
    assert (training.count, validation.count) == (1, 1)


def test_no_position_is_in_both(case: Case, positions: Sequence[Position], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is drawn, each side sees its own."""
    monkeypatch.setattr(patient_training, "drawn_positions", lambda *_: positions)
    scenes = patient_scenes(case, MINUTES, 0, silent)
    for sampler, position in ((scenes.validation, positions[0]), (scenes.training, positions[1])):
        for seed in range(5):
            drawn = sampler.scene(np.random.default_rng(seed))
            np.testing.assert_array_equal(drawn.T_reference_body, position.T_reference_body)


def test_the_shares_leave_a_little_of_the_minutes() -> None:
    shares = patient_training.RAY_CASTING_SHARE, patient_training.DETECTION_SHARE, patient_training.LEVELS_SHARE
    assert 0.95 < sum(shares) < 1


@pytest.mark.parametrize(
    ("minutes", "count", "held_out"), [(0.05, 2, 1), (2.0, 30, 3), (20.0, 300, 30), (90.0, 300, 30)]
)
def test_more_minutes_show_more_positions(
    case: Case, monkeypatch: pytest.MonkeyPatch, minutes: float, count: int, held_out: int
) -> None:
    monkeypatch.setattr(patient_training, "drawn_positions", lambda case, count, *_: list(range(count)))
    monkeypatch.setattr("radgs_core.training.scenes.SceneSampler", lambda case, positions: positions)
    scenes = patient_scenes(case, minutes, 0, silent)
    assert len(scenes.validation) == held_out
    assert sorted([*scenes.training, *scenes.validation]) == list(range(count))
