"""The learning rate over a training."""

import math

from radgs_core.training.settings import Settings

LAST_SHARE = 0.01
"""What is left of the learning rate at the end."""


def learning_rate(settings: Settings, step: int, spent: float) -> float:
    """Learning rate of a step: a linear rise, then half a cosine down to ``LAST_SHARE``.

    Args:
        settings: the largest rate and the steps it takes to reach it.
        step: number of steps done.
        spent: share of the budget that is used up, 0 to 1. With a budget of time, the rate thus falls to its end
            however many steps there turn out to be.
    """
    rise = min(1.0, (step + 1) / (settings.warm_up_steps + 1))
    fall = LAST_SHARE + (1 - LAST_SHARE) * 0.5 * (1 + math.cos(math.pi * min(1.0, spent)))
    return settings.learning_rate * rise * fall
