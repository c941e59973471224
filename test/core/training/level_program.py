"""A short training of RecM and RegM, as a program: one process of a distributed one."""

import dataclasses
import sys
from pathlib import Path

import torch
from level_fixtures import SMALL, networks, positions_of, sampler_of, silent

from radgs_core.case import Case
from radgs_core.training import level_task
from radgs_core.training.level_task import LevelTask
from radgs_core.training.settings import Settings
from radgs_core.training.trainer import train

SETTINGS = Settings(
    batch_size=4, learning_rate=1e-3, validate_every=100, steps=4, warm_up_steps=1, seed=7, accelerator="cpu"
)


def trained(case: Path, folder: Path) -> dict[str, torch.Tensor]:
    """Weights after four steps, without what is random in a process: counterfactual attention."""
    level_task.VALIDATION_SCENES = 1
    loaded = Case.load(case)
    preset = dataclasses.replace(SMALL, counterfactual=False)
    sampler = sampler_of(loaded, positions_of(loaded), preset)
    task = LevelTask([sampler], networks(preset), sampler, {})
    train(task, SETTINGS, folder, silent)
    return torch.load(folder / "checkpoint.pt", weights_only=True)["weights"]


if __name__ == "__main__":
    torch.save(trained(Path(sys.argv[1]), Path(sys.argv[2])), sys.argv[3])
