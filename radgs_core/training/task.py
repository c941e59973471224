"""What the trainer asks of the thing that is trained."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import nn


@dataclass(frozen=True)
class Losses:
    """Loss of one batch.

    Attributes:
        total: () what is minimised: the mean over the batch's samples, so that the gradients of equal shares of a batch
            average to those of the whole.
        parts: () each, by name; only written down.
    """

    total: torch.Tensor
    parts: Mapping[str, torch.Tensor]


@dataclass(frozen=True)
class Validation:
    """How good a network is.

    Attributes:
        score: what the best weights are chosen by; less is better, infinite is allowed, NaN is not.
        metrics: any other numbers, by name; only written down.
    """

    score: float
    metrics: Mapping[str, float]


class Task(Protocol):
    """One network, the samples it is trained on and the measure of its success.

    Attributes:
        module: the network, on any device; the trainer moves it and leaves the best weights in it.
        configuration: JSON values that name what is trained on what (sizes, hashes of the data, ...): a checkpoint is
            continued only by a task of the same configuration.
    """

    module: nn.Module
    configuration: Mapping[str, Any]

    def sample(self, rng: np.random.Generator) -> Any:
        """Draw one sample, on the CPU.

        Everything random comes from ``rng``: then a sample depends neither on the number of processes nor on when it is
        drawn. Called from several threads at a time.
        """

    def collate(self, samples: Sequence[Any]) -> Any:
        """Make a batch: tensors, or (frozen) dataclasses, tuples, lists and mappings that hold them."""

    def loss(self, module: nn.Module, batch: Any) -> Losses:
        """Loss of a batch, which is on the device already.

        Args:
            module: ``self.module`` behind a wrapper that joins processes and sets the precision of its ``forward``,
                which must take and give tensors or tuples, lists and dicts of them. Only what is called as
                ``module(...)``, at most once, takes part in both.
            batch: what ``collate`` made.

        torch's global generator is seeded anew for every step and process before: dropout is the same again after an
        interruption, but not with another number of processes.
        """

    def validate(self, module: nn.Module) -> Validation:
        """Measure a network on data that it is not trained on, the same every time.

        Args:
            module: a copy of ``self.module`` with averaged weights, on the device, in evaluation mode and single
                precision. Called without gradients, and in the first process only.
        """
