"""The loop: steps, validation, checkpoints; of any task, in one process or several."""

import math
import time
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch

from radgs_core.errors import InputError
from radgs_core.progress import Progress
from radgs_core.training.checkpoint import Best, Checkpoint, read_checkpoint, write_checkpoint
from radgs_core.training.curves import Curves, recorded_curves
from radgs_core.training.devices import launched
from radgs_core.training.interruption import deferred_interruption
from radgs_core.training.learner import Learner, Step
from radgs_core.training.samples import prepared_batches
from radgs_core.training.settings import Settings
from radgs_core.training.task import Task, Validation
from radgs_core.training.time_budget import TimeBudget


@dataclass(frozen=True)
class Outcome:
    """What a training came to.

    Attributes:
        steps: number of steps done.
        seconds: time used up, validation and saving included.
        best_step: number of steps after which the best weights were found.
        best: their validation.
    """

    steps: int
    seconds: float
    best_step: int
    best: Validation


def train(task: Task, settings: Settings, folder: Path, progress: Progress) -> Outcome:
    """Train until the budget is used up, and leave the best weights by validation in ``task.module``.

    ``folder`` gets the checkpoint, ``curves.csv`` and TensorBoard's event file. A checkpoint that is there is
    continued, to the step; with a budget of steps the result is the same as without the interruption, bit for bit.
    Started with torchrun, all processes call this, and share each step's batch.

    Args:
        task: what is trained.
        settings: how.
        folder: made where it is missing; on several machines, one that all of them see.
        progress: told the share of the budget that is used up, and how good the network is.

    Raises:
        InputError: the checkpoint is damaged or of another training; a loss, gradient or score that is no number; the
            processes cannot share a batch; the device is missing; the folder cannot be written.
        KeyboardInterrupt: after Ctrl-C or SIGTERM, once the current step is done and saved.
    """
    began = time.monotonic()
    fabric = launched(settings)
    checkpoint = read_checkpoint(folder, task, settings)
    fabric.barrier()  # all have read the checkpoint before one writes the next
    budget = TimeBudget(settings.minutes, began, checkpoint.seconds if checkpoint else 0.0)
    learner = Learner(fabric, task, settings, checkpoint)
    step = checkpoint.step if checkpoint else 0
    with (
        deferred_interruption() as interrupted,
        prepared_batches(task, settings, step, fabric.global_rank, fabric.world_size) as batches,
        recorded_curves(folder, step if checkpoint else -1) if fabric.is_global_zero else nullcontext() as curves,
    ):
        keeper = _Keeper(task, settings, folder, budget, learner, curves, checkpoint) if curves else None
        if keeper and not checkpoint:
            keeper.begin()
        time_spent = fabric.broadcast(budget.spent)
        finished = checkpoint.finished if checkpoint else time_spent >= 1
        while not finished:
            spent = max(time_spent, step / settings.steps if settings.steps else 0.0)
            done = learner.learn(next(batches), step, spent, budget.spent, interrupted())
            step, time_spent = step + 1, done.spent
            finished = step == settings.steps or time_spent >= 1
            if keeper:
                keeper.keep(step, done, finished)
                keeper.tell(step, done, progress)
            if done.stopping:
                fabric.barrier()  # when one process ends, torchrun ends the others, and the first may be saving
                raise KeyboardInterrupt
        best: Best = fabric.broadcast(keeper.best if keeper else None)  # type: ignore[assignment]
        task.module.load_state_dict(best.weights)
        if interrupted():  # too late to stop anything here, but the caller may have more to do
            raise KeyboardInterrupt
    return Outcome(step, budget.seconds, best.step, best.validation)


class _Keeper:
    """What the first process does for all: validate, write down, save."""

    best: Best

    def __init__(
        self,
        task: Task,
        settings: Settings,
        folder: Path,
        budget: TimeBudget,
        learner: Learner,
        curves: Curves,
        checkpoint: Checkpoint | None,
    ) -> None:
        self._task, self._settings, self._folder = task, settings, folder
        self._budget, self._learner, self._curves = budget, learner, curves
        self._saved_s = budget.seconds
        if checkpoint:
            self.best = checkpoint.best

    def begin(self) -> None:
        """Validate the weights that training starts from; they may be good ones, and it shows how long this takes."""
        with self._budget.closing():
            self._curves.record(0, self._budget.seconds, self._validated(0))
            self._save(0, False)

    def keep(self, step: int, done: Step, finished: bool) -> None:
        """Write down a step; validate and save where it is time to."""
        values = {"learning_rate": done.learning_rate, **done.losses}
        if finished or (step % self._settings.validate_every == 0 and self._budget.allows_another_closing):
            with self._budget.closing():
                self._curves.record(step, self._budget.seconds, {**values, **self._validated(step)})
                self._save(step, finished)
        else:
            self._curves.record(step, self._budget.seconds, values)
            if done.stopping or self._budget.seconds - self._saved_s >= self._settings.checkpoint_seconds:
                self._save(step, finished)

    def tell(self, step: int, done: Step, progress: Progress) -> None:
        """Report how far the training is and how good the network."""
        of = f" of {self._settings.steps}" if self._settings.steps else ""
        spent = min(1.0, max(self._budget.spent, step / self._settings.steps if self._settings.steps else 0.0))
        left = f"{self._budget.seconds * (1 - spent) / spent:.0f} s left" if spent else "starting"
        loss, score = done.losses["loss"], self.best.validation.score
        progress(spent, f"step {step}{of}, loss {loss:.4g}, validation {score:.4g}, {left}")

    @torch.no_grad()
    def _validated(self, step: int) -> Mapping[str, float]:
        validation = self._task.validate(self._learner.average.module)
        if math.isnan(validation.score):
            raise InputError(
                f"the validation's score is NaN at step {step}; lower the learning rate or mend the validation data."
            )
        if step == 0 or validation.score < self.best.validation.score:
            state = self._learner.average.module.state_dict()
            self.best = Best(step, validation, {name: tensor.cpu().clone() for name, tensor in state.items()})
        return {
            "validation": validation.score,
            **{f"validation/{name}": value for name, value in validation.metrics.items()},
        }

    def _save(self, step: int, finished: bool) -> None:
        self._curves.flush()
        checkpoint = Checkpoint(
            step=step,
            seconds=self._budget.seconds,
            finished=finished,
            weights=self._task.module.state_dict(),
            average=self._learner.average.module.state_dict(),
            optimizer=self._learner.optimizer_state,
            precision=self._learner.precision_state,
            best=self.best,
        )
        write_checkpoint(self._folder, checkpoint, self._task, self._settings)
        self._saved_s = self._budget.seconds
