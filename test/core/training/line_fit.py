"""A task small enough for tests: a network learns y = 2x - 1. As a program, one process of a distributed training."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from radgs_core.training.settings import Settings
from radgs_core.training.task import Losses, Validation
from radgs_core.training.trainer import train

LENGTH = 8
"""Points in a sample."""
SETTINGS = Settings(
    batch_size=4,
    learning_rate=0.02,
    validate_every=5,
    steps=24,
    warm_up_steps=3,
    seed=7,
    checkpoint_seconds=1e9,
    accelerator="cpu",
)


@dataclass(frozen=True)
class Points:
    """x and y, (B, LENGTH)."""

    x: torch.Tensor
    y: torch.Tensor


class Network(nn.Module):
    """Has matrices, vectors, a buffer that changes, and a part that no loss reaches."""

    seen: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.LayerNorm(8), nn.Linear(8, 1))
        self.unused = nn.Linear(2, 2)
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        if self.training:
            self.seen += 1
        y = self.layers(x[..., None])[..., 0]
        return y, y.mean()


class LineFit:
    """The task; remembers what it drew."""

    def __init__(self, dropout: float = 0.0) -> None:
        torch.manual_seed(0)
        self.module: nn.Module = Network()
        self.configuration: Mapping[str, Any] = {"points": LENGTH, "sizes": (1, 8, 1)}
        self.first_x: list[float] = []
        self._dropout = dropout

    def sample(self, rng: np.random.Generator) -> Points:
        x = torch.from_numpy(rng.uniform(-1, 1, LENGTH).astype(np.float32))
        return Points(x, 2 * x - 1)

    def collate(self, samples: Sequence[Points]) -> Points:
        self.first_x += [float(sample.x[0]) for sample in samples]
        return Points(torch.stack([s.x for s in samples]), torch.stack([s.y for s in samples]))

    def loss(self, module: nn.Module, batch: Points) -> Losses:
        y, mean = module(nn.functional.dropout(batch.x, self._dropout))
        square = ((y - batch.y) ** 2).mean()
        return Losses(square + 0.1 * mean**2 * 0, {"square": square})

    def validate(self, module: nn.Module) -> Validation:
        assert not module.training and not torch.is_grad_enabled()
        x = torch.linspace(-1, 1, 50)
        error = module(x)[0] - (2 * x - 1)
        return Validation(float((error**2).mean()), {"worst": float(error.abs().max())})


def silent(fraction: float, message: str) -> None:
    """Progress that nobody watches."""


if __name__ == "__main__":
    fit = LineFit()
    outcome = train(fit, SETTINGS, Path(sys.argv[1]), silent)
    rank = torch.distributed.get_rank() if torch.distributed.is_initialized() else 0
    torch.save({"weights": fit.module.state_dict(), "first_x": fit.first_x}, Path(sys.argv[2]) / f"{rank}.pt")
