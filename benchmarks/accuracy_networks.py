"""Where `benchmarks.accuracy` gets trained networks from: one file of weights for each way of training.

Those of P2 alone, for the reported levels, are the ones that come with the demo: ``radgs-reg prepare --minutes 20``.
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from benchmarks.example_case import REPORTED_LEVELS
from benchmarks.report import FOLDER
from radgs_core.case import Case
from radgs_core.networks import Networks
from radgs_reg_ros.demo.shipped_networks import TRAINED_LEVELS, WEIGHTS

SHIPPED = "p2"
"""The training whose networks come with the demo, for the reported levels."""


class NotTrained(Exception):
    """A file of weights is missing; the message names it."""


def networks_file(training: str, levels: Sequence[str]) -> Path:
    """Weights of one way of training, made for these levels: those of the reported levels have the short name."""
    if training == SHIPPED and list(levels) == list(TRAINED_LEVELS):
        return WEIGHTS
    suffix = "" if list(levels) == REPORTED_LEVELS else f"_{'_'.join(levels)}"
    return FOLDER / f"networks_{training}{suffix}.safetensors"


def with_networks(case: Case, training: str) -> Case:
    """The case with the networks of one way of training.

    Raises:
        NotTrained: there are none.
        InputError: the file is damaged.
    """
    file = networks_file(training, list(case.levels))
    if not file.exists():
        raise NotTrained(f"{file.name} is missing")
    return dataclasses.replace(case, networks=Networks.load(file))
