"""Everything a training needs to go on as if it had not stopped."""

import json
import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from radgs_core.errors import InputError
from radgs_core.io.atomic import written_atomically
from radgs_core.training.settings import Settings
from radgs_core.training.task import Task, Validation

CHECKPOINT = "checkpoint.pt"
SCHEMA_VERSION = 1

_DAMAGE = (
    *(EOFError, KeyError, OSError, RuntimeError, TypeError, ValueError),
    *(pickle.UnpicklingError, zipfile.BadZipFile),
)

Weights = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Best:
    """The best weights so far, and after how many steps they were found.

    Attributes:
        step: number of steps done.
        validation: of these weights.
        weights: state dictionary of the network.
    """

    step: int
    validation: Validation
    weights: Weights


@dataclass(frozen=True)
class Checkpoint:
    """State between two steps.

    Attributes:
        step: number of steps done.
        seconds: time used up.
        finished: whether the budget is used up.
        weights, average: state dictionaries of the network and of its running average.
        optimizer, precision: states of the optimizer and of what scales losses in half precision.
        best: the best weights.
    """

    step: int
    seconds: float
    finished: bool
    weights: Weights
    average: Weights
    optimizer: Mapping[str, Any]
    precision: Mapping[str, Any]
    best: Best


def write_checkpoint(folder: Path, checkpoint: Checkpoint, task: Task, settings: Settings) -> None:
    """Replace the checkpoint in ``folder``; at no moment is there none.

    Raises:
        InputError: the file cannot be written.
    """
    state = {
        "schema_version": SCHEMA_VERSION,
        "settings": settings.decisive(),
        "configuration": json.dumps(dict(task.configuration), sort_keys=True),
        **{name: getattr(checkpoint, name) for name in Checkpoint.__dataclass_fields__},
        "best": asdict(checkpoint.best),
    }
    with written_atomically(folder / CHECKPOINT) as path:
        torch.save(state, path)


def read_checkpoint(folder: Path, task: Task, settings: Settings) -> Checkpoint | None:
    """The checkpoint in ``folder``, None where there is none.

    Raises:
        InputError: damaged, or of another training: other settings, another configuration or another network.
    """
    path = folder / CHECKPOINT
    if not path.is_file():
        return None
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)  # tensors and numbers, no code
        if state["schema_version"] != SCHEMA_VERSION:
            raise _other(path, "is of another version of this program")
        _check_same(path, "settings", state["settings"], settings.decisive())
        _check_same(path, "configuration", json.loads(state["configuration"]), _as_json(task.configuration))
        best = state["best"]
        checkpoint = Checkpoint(
            **{
                **{name: state[name] for name in Checkpoint.__dataclass_fields__},
                "best": Best(best["step"], Validation(**best["validation"]), best["weights"]),
            }
        )
    except InputError:
        raise
    except _DAMAGE as error:
        raise _other(path, "is damaged") from error
    expected = {name: tensor.shape for name, tensor in task.module.state_dict().items()}
    if {name: tensor.shape for name, tensor in checkpoint.weights.items()} != expected:
        raise _other(path, "is of another network")
    return checkpoint


def _as_json(configuration: Mapping[str, Any]) -> Any:
    return json.loads(json.dumps(dict(configuration)))  # tuples are lists there


def _check_same(path: Path, what: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    changed = [name for name in sorted({*before, *now}) if before.get(name) != now.get(name)]
    if changed:
        differences = ", ".join(f"{name} was {before.get(name)}, is {now.get(name)}" for name in changed)
        raise _other(path, f"was made with another {what} ({differences})")


def _other(path: Path, what: str) -> InputError:
    return InputError(f"{path} {what}; train as before, or into another folder, or delete that file to start anew.")
