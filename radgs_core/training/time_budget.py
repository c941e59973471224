"""How much of the allowed time is used up, with what has to be done at the end already counted in."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class TimeBudget:
    """A clock that goes on where an earlier one was stopped.

    Args:
        minutes: what is allowed; None for no limit.
        began: when it was started, as ``time.monotonic`` has it.
        seconds: used up before that.
    """

    def __init__(self, minutes: float | None, began: float, seconds: float) -> None:
        self._limit = None if minutes is None else 60 * minutes
        self._began = began - seconds
        self._closing = 0.0

    @property
    def seconds(self) -> float:
        """Used up until now."""
        return time.monotonic() - self._began

    @property
    def spent(self) -> float:
        """Share that is used up, from 0; from 1 on there is only time left for the closing. Without limit, 0."""
        if self._limit is None:
            return 0.0
        usable = self._limit - self._closing
        return self.seconds / usable if usable > 0 else 1.0

    @property
    def allows_another_closing(self) -> bool:
        """Whether the closing can be done now and once more at the end."""
        return self._limit is None or self.seconds + 2 * self._closing < self._limit

    @contextmanager
    def closing(self) -> Iterator[None]:
        """Measure what will have to be done at the end as well; the latest measurement is set aside for it."""
        began = self.seconds
        yield
        self._closing = self.seconds - began
