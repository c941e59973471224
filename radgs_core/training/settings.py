"""How to train: what the user may choose, whatever is trained."""

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

from radgs_core.errors import InputError

Precision = Literal["32-true", "bf16-mixed", "16-mixed"]
Accelerator = Literal["auto", "cpu", "cuda"]

_OUTCOME_NEUTRAL = ("accelerator", "sampling_threads", "checkpoint_seconds")


@dataclass(frozen=True)
class Settings:
    """Settings of one training.

    Attributes:
        batch_size: samples a step, of all processes together; each takes the same share.
        learning_rate: the largest one; before, it rises over ``warm_up_steps``, after, it falls along a cosine.
        validate_every: steps. The weights are also validated before the first step and after the last.
        steps, minutes: the budget; at least one, and what is used up first ends the training. Validation and saving are
            part of the minutes.
        seed: of all samples, 0 to 2^32 - 1.
        weight_decay: of AdamW; biases and scales of normalisations are left out.
        largest_gradient_norm: longer gradients are shortened to it.
        average_decay: share of the running average of the weights that one step leaves in place.
        precision: of the network's ``forward``; ``16-mixed`` needs CUDA.
        accelerator: ``auto`` takes CUDA where there is one.
        sampling_threads: how many samples each process prepares at a time.
        checkpoint_seconds: time between two checkpoints; there is one after every validation too.
    """

    batch_size: int
    learning_rate: float
    validate_every: int
    steps: int | None = None
    minutes: float | None = None
    seed: int = 0
    weight_decay: float = 0.01
    warm_up_steps: int = 50
    largest_gradient_norm: float = 1.0
    average_decay: float = 0.995
    precision: Precision = "32-true"
    accelerator: Accelerator = "auto"
    sampling_threads: int = 2
    checkpoint_seconds: float = 60.0

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            InputError: a value that cannot be trained with.
        """
        if self.steps is None and self.minutes is None:
            raise InputError("the training has no budget; give steps, minutes or both.")
        positive = ("batch_size", "validate_every", "sampling_threads", "learning_rate", "largest_gradient_norm")
        for name in (*positive, *(name for name in ("steps", "minutes") if getattr(self, name) is not None)):
            _check(name, getattr(self, name), 0 < getattr(self, name) < math.inf, "a number above 0")
        for name in ("weight_decay", "warm_up_steps", "checkpoint_seconds"):
            _check(name, getattr(self, name), 0 <= getattr(self, name) < math.inf, "a number from 0")
        _check("average_decay", self.average_decay, 0 <= self.average_decay < 1, "a number from 0 to below 1")
        _check("seed", self.seed, 0 <= self.seed < 2**32, "a whole number from 0 to 2^32 - 1")

    def decisive(self) -> dict[str, Any]:
        """By name, the settings that another result would come from, as JSON values."""
        return {name: value for name, value in asdict(self).items() if name not in _OUTCOME_NEUTRAL}


def _check(name: str, value: object, fits: bool, wanted: str) -> None:
    if not fits:
        raise InputError(f"the training's {name} is {value}; give {wanted}.")
