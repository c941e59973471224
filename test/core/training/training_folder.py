"""What a training left, and how to disturb one."""

import csv
import re
import signal
from pathlib import Path

import torch

from radgs_core.progress import Progress
from radgs_core.training.checkpoint import CHECKPOINT


def state(folder: Path) -> dict:
    """What is in the checkpoint."""
    return torch.load(folder / CHECKPOINT, weights_only=True)


def table(folder: Path) -> list[dict[str, str]]:
    """Rows of the curves."""
    with (folder / "curves.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def interrupting(at: int) -> Progress:
    """Ctrl-C while step ``at`` is reported."""

    def report(fraction: float, message: str) -> None:
        if re.match(rf"step {at}\b", message):
            signal.raise_signal(signal.SIGINT)

    return report


def assert_same(a: object, b: object) -> None:
    """Equal to the last bit, all the way down."""
    if isinstance(a, torch.Tensor):
        assert isinstance(b, torch.Tensor) and torch.equal(a, b)
    elif isinstance(a, dict):
        assert isinstance(b, dict) and list(a) == list(b)
        for key in a:
            assert_same(a[key], b[key])
    elif isinstance(a, list):
        assert isinstance(b, list) and len(a) == len(b)
        for one, other in zip(a, b, strict=True):
            assert_same(one, other)
    else:
        assert a == b
