"""What a figure may be at least and at most, and the sentences for those that are not."""

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Bounds:
    """Both ends included. What is not a number is out of all bounds."""

    least: float = -math.inf
    most: float = math.inf

    def missed_by(self, value: float) -> str | None:
        """What the value must not be, as the end of a sentence; None within the bounds."""
        if math.isnan(value):
            return "unknown"
        if value < self.least:
            return f"less than {self.least:g}"
        return f"more than {self.most:g}" if value > self.most else None


def complaint(figures: Mapping[str, float], bounds: Mapping[str, Bounds]) -> int:
    """Name on stderr what is out of bounds, a sentence each; 1 if anything is."""
    missed = {name: limit for name, bound in bounds.items() if (limit := bound.missed_by(figures[name]))}
    for name, limit in missed.items():
        print(f"{name} is {figures[name]:.4g}, but must not be {limit}.", file=sys.stderr)
    return 1 if missed else 0
