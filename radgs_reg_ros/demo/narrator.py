"""Tells what the demo is doing, all the time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.status import Status

QUIET_S = 5.0
"""Where the output is no terminal, details are printed at most this often."""


class Narrator:
    """Steps as lines with the seconds since the start; details of the running step beside a spinner on a terminal."""

    def __init__(self) -> None:
        self.console = Console(highlight=False)
        self._began = time.monotonic()
        self._status: Status | None = None
        self._step = ""
        self._told = 0.0

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self._began

    def say(self, text: str) -> None:
        """One line."""
        self.console.print(f"[{self.seconds:5.1f} s] {text}", markup=False, soft_wrap=True)

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Announce what happens inside."""
        self.say(text)
        self._step = text
        self._told = time.monotonic()
        if not self.console.is_terminal:
            yield
            return
        with self.console.status(text) as self._status:
            yield
        self._status = None

    def detail(self, text: str) -> None:
        """How far the running step is; from any thread."""
        status = self._status
        if status is not None:
            status.update(f"{self._step}: {text}")
        elif time.monotonic() - self._told > QUIET_S:
            self._told = time.monotonic()
            self.say(f"  {text}")
