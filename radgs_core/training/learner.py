"""One step of training: loss, gradients, new weights; the same in every process."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import nn

from radgs_core.errors import InputError
from radgs_core.training.average import WeightAverage
from radgs_core.training.checkpoint import Checkpoint
from radgs_core.training.devices import to_device
from radgs_core.training.schedule import learning_rate
from radgs_core.training.settings import Settings
from radgs_core.training.task import Task


@dataclass(frozen=True)
class Step:
    """What one step came to, in all processes alike.

    Attributes:
        losses: mean over the batch: ``loss`` and ``loss/<part>``.
        learning_rate: it was done with.
        spent: share of the time that the first process had used up.
        stopping: whether any process was asked to stop.
    """

    losses: Mapping[str, float]
    learning_rate: float
    spent: float
    stopping: bool


class Learner:
    """A network, its optimizer and the running average of its weights, as a checkpoint holds them.

    Args:
        fabric: device and processes.
        task: gives network and loss.
        settings: how to train.
        checkpoint: what to continue from; None to begin with the network as it is.

    Attributes:
        average: running average of the weights.
    """

    def __init__(self, fabric: Fabric, task: Task, settings: Settings, checkpoint: Checkpoint | None) -> None:
        self._fabric, self._task, self._settings = fabric, task, settings
        self.average = WeightAverage(task.module, settings.average_decay)
        self.average.module.to(fabric.device)
        self._module, self._optimizer = fabric.setup(task.module, _adamw(task.module, settings))
        self._module.train()
        if checkpoint:
            task.module.load_state_dict(checkpoint.weights)
            self.average.module.load_state_dict(checkpoint.average)
            self._optimizer.load_state_dict(checkpoint.optimizer)
            fabric.strategy.precision.load_state_dict(dict(checkpoint.precision))

    @property
    def optimizer_state(self) -> Mapping[str, Any]:
        """Of the optimizer."""
        return self._optimizer.optimizer.state_dict()

    @property
    def precision_state(self) -> Mapping[str, Any]:
        """Of what scales losses in half precision."""
        return self._fabric.strategy.precision.state_dict()

    def learn(self, batch: Any, step: int, spent: float, time_spent: float, stopping: bool) -> Step:
        """Take one step.

        Args:
            batch: this process' share, on the CPU.
            step: number of steps done.
            spent: share of the budget used up, the same in all processes.
            time_spent, stopping: what this process has to tell the others.

        Raises:
            InputError: the loss or its gradient is NaN or infinite; the weights are then as they were before.
        """
        rate = learning_rate(self._settings, step, spent)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        seed = np.random.SeedSequence([self._settings.seed, step, self._fabric.global_rank, 1])  # a sample's has three
        torch.manual_seed(int(seed.generate_state(1, np.uint64)[0]))
        losses = self._task.loss(self._module, to_device(batch, self._fabric.device))
        self._fabric.backward(losses.total)
        norm = self._fabric.clip_gradients(
            self._module, self._optimizer, max_norm=self._settings.largest_gradient_norm, error_if_nonfinite=False
        )
        assert norm is not None
        first, count = self._fabric.is_global_zero, self._fabric.world_size
        told = [part.detach() / count for part in (losses.total, *losses.parts.values())]
        told += [torch.tensor(float(number)) for number in (time_spent if first else 0.0, stopping)]
        heard = self._summed(told)
        names = ("loss", *(f"loss/{name}" for name in losses.parts))
        result = Step(dict(zip(names, heard[:-2], strict=True)), rate, heard[-2], heard[-1] > 0)
        for name, value in result.losses.items():
            _check_finite(name, value, step + 1)
        # with 16-mixed, a gradient too large for half precision is normal: the step is left out and the scale lowered
        if self._settings.precision != "16-mixed":
            _check_finite("gradient of the loss", float(norm), step + 1)
        self._optimizer.step()
        self._optimizer.zero_grad()
        self.average.update(self._task.module, step + 1)
        return result

    def _summed(self, numbers: list[torch.Tensor]) -> list[float]:
        """Each of them summed over the processes."""
        together = torch.stack([number.to(self._fabric.device, torch.float64) for number in numbers])
        summed = self._fabric.all_reduce(together, reduce_op="sum")
        assert isinstance(summed, torch.Tensor)
        return summed.tolist()


def _adamw(module: nn.Module, settings: Settings) -> torch.optim.AdamW:
    """AdamW; vectors, which are biases and scales of normalisations, do not decay."""
    matrices = [p for p in module.parameters() if p.requires_grad and p.ndim > 1]
    vectors = [p for p in module.parameters() if p.requires_grad and p.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": settings.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW([group for group in groups if group["params"]], lr=settings.learning_rate)


def _check_finite(what: str, value: float, step: int) -> None:
    if not math.isfinite(value):
        raise InputError(
            f"the training's {what} is {value} at step {step}; lower the learning rate, or continue from the last"
            " checkpoint, which is kept, with other data."
        )
