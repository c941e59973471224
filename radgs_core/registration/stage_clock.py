"""How long each stage of a registration takes."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import MappingProxyType


class StageClock:
    """Runs from when it is made."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._stages: dict[str, float] = {}

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Time what is done within."""
        began = time.perf_counter()
        yield
        self._stages[stage] = time.perf_counter() - began

    @property
    def seconds(self) -> float:
        """Since the clock was made."""
        return time.perf_counter() - self._began

    @property
    def seconds_by_stage(self) -> MappingProxyType[str, float]:
        """Of the stages that were gone through, in their order."""
        return MappingProxyType(dict(self._stages))
