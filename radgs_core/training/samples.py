"""Batches that are prepared in the background, the same ones whoever prepares them and whenever."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from typing import Any

import numpy as np

from radgs_core.errors import InputError
from radgs_core.training.settings import Settings
from radgs_core.training.task import Task

STEPS_AHEAD = 2


@contextmanager
def prepared_batches(task: Task, settings: Settings, first: int, rank: int, world_size: int) -> Iterator[Iterator[Any]]:
    """Batches of this process for steps ``first``, ``first + 1``, ... without end.

    Sample i of step s is drawn with ``np.random.default_rng([seed, s, i])``; process r of w takes i = r, r + w, ...
    So neither the number of processes nor an interruption changes what is trained on.

    Args:
        task: draws and collates.
        settings: batch size, seed, threads.
        first: number of steps done before.
        rank, world_size: this process among all.

    Raises:
        InputError: the processes cannot share a batch evenly.
    """
    if settings.batch_size % world_size:
        raise InputError(
            f"a batch of {settings.batch_size} cannot be shared by {world_size} processes; give a multiple of"
            f" {world_size} as batch size."
        )

    def drawn(step: int, number: int) -> Any:
        return task.sample(np.random.default_rng([settings.seed, step, number]))

    with ThreadPoolExecutor(settings.sampling_threads, thread_name_prefix="samples") as pool:
        waiting: deque[list[Future[Any]]] = deque()

        def batches() -> Iterator[Any]:
            for step in count(first):
                while len(waiting) <= STEPS_AHEAD:
                    numbers = range(rank, settings.batch_size, world_size)
                    waiting.append([pool.submit(drawn, step + len(waiting), number) for number in numbers])
                yield task.collate([future.result() for future in waiting.popleft()])

        try:
            yield batches()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
