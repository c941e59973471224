"""A running average of weights: steadier than the last ones."""

import copy

import torch
from torch import nn


class WeightAverage:
    """Exponential moving average of a network's parameters; buffers are copied.

    Attributes:
        module: a network of its own with the average, in evaluation mode.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.module = copy.deepcopy(module).eval().requires_grad_(False)
        self._decay = decay

    @torch.no_grad()
    def update(self, module: nn.Module, step: int) -> None:
        """Take in the weights after ``step`` steps.

        Early on the decay is smaller, (1 + step) / (10 + step), so that the first, random weights are soon forgotten.
        """
        decay = min(self._decay, (1 + step) / (10 + step))
        for average, current in zip(self.module.parameters(), module.parameters(), strict=True):
            average.lerp_(current, 1 - decay)
        for copied, original in zip(self.module.buffers(), module.buffers(), strict=True):
            copied.copy_(original)
