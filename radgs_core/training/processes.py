"""Which of the processes that torchrun has started this one is, before they have joined."""

import os
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Process:
    """One of several that do the same.

    Attributes:
        rank: its number; 0 writes the results.
        count: of all.
    """

    rank: int
    count: int

    @property
    def is_first(self) -> bool:
        """Whether this is the one that tells the user and writes results."""
        return self.rank == 0


def this_process() -> Process:
    """This one; the only one where torchrun has not started it."""
    if torch.distributed.is_available() and torch.distributed.is_torchelastic_launched():
        return Process(int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]))
    return Process(0, 1)
