"""RecM and RegM resume to the step, although counterfactual attention is drawn anew in every one."""

from pathlib import Path

import pytest
import torch
from level_fixtures import SMALL, networks, silent
from training_folder import assert_same, interrupting, state

from radgs_core.training import level_task
from radgs_core.training.level_batch import LevelSampler
from radgs_core.training.level_task import LevelTask
from radgs_core.training.settings import Settings
from radgs_core.training.trainer import train

SETTINGS = Settings(
    batch_size=2,
    learning_rate=1e-3,
    validate_every=3,
    steps=5,
    warm_up_steps=2,
    seed=7,
    precision="bf16-mixed",
    accelerator="cpu",
    checkpoint_seconds=1e9,
)


def test_interrupted_and_resumed_is_the_same_to_the_bit(
    sampler: LevelSampler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(level_task, "VALIDATION_SCENES", 1)
    assert SMALL.counterfactual

    def fresh() -> LevelTask:
        return LevelTask([sampler], networks(), sampler, {})

    whole, parts = tmp_path / "whole", tmp_path / "parts"
    train(fresh(), SETTINGS, whole, silent)
    with pytest.raises(KeyboardInterrupt):
        train(fresh(), SETTINGS, parts, interrupting(2))
    assert state(parts)["step"] == 3
    torch.manual_seed(99)  # another process
    train(fresh(), SETTINGS, parts, silent)
    resumed, uninterrupted = state(parts), state(whole)
    del resumed["seconds"], uninterrupted["seconds"]
    assert_same(resumed, uninterrupted)
    first = fresh().module.state_dict()
    assert any(not torch.equal(first[name], weights) for name, weights in resumed["weights"].items())
