import dataclasses
import json
import math
from collections.abc import Sequence
from pathlib import Path

import pytest
from line_fit import SETTINGS, LineFit, Points, silent
from torch import nn
from training_folder import interrupting, state, table

from radgs_core.errors import InputError
from radgs_core.training.settings import Settings
from radgs_core.training.task import Validation
from radgs_core.training.trainer import train


@pytest.mark.parametrize(("validate_every", "scheduled"), [(9, {0, 9, 18, 27}), (5, {0, 5, 10, 15, 20}), (1000, {0})])
def test_a_budget_of_time_anneals_fully_and_closes_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, validate_every: int, scheduled: set[int]
) -> None:
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])

    class Slow(LineFit):
        """A step takes 1 s, a validation 5 s."""

        def collate(self, samples: Sequence[Points]) -> Points:
            now[0] += 1.0
            return super().collate(samples)

        def validate(self, module: nn.Module) -> Validation:
            now[0] += 5.0
            return super().validate(module)

    settings = dataclasses.replace(SETTINGS, steps=None, minutes=1.0, validate_every=validate_every)
    outcome = train(Slow(), settings, tmp_path, silent)
    assert outcome.seconds == 60
    rows = table(tmp_path)
    assert float(rows[-1]["learning_rate"]) < 0.02 * SETTINGS.learning_rate
    validated = [int(row["step"]) for row in rows if row["validation"]]
    assert validated[:-1] == sorted(scheduled)
    assert validated[-1] == outcome.steps == int(rows[-1]["step"])
    assert state(tmp_path)["seconds"] == pytest.approx(outcome.seconds)
    # the time is used up, also for whoever continues
    assert train(Slow(), settings, tmp_path, silent).steps == outcome.steps


def test_time_used_before_an_interruption_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])

    class Slow(LineFit):
        def collate(self, samples: Sequence[Points]) -> Points:
            now[0] += 1.0
            return super().collate(samples)

    settings = dataclasses.replace(SETTINGS, steps=None, minutes=0.5)
    with pytest.raises(KeyboardInterrupt):
        train(Slow(), settings, tmp_path, interrupting(19))
    now[0] += 1000.0  # over night
    outcome = train(Slow(), settings, tmp_path, silent)
    assert (outcome.steps, outcome.seconds) == (30, 30.0)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"steps": None}, "has no budget"),
        ({"steps": 0}, "steps is 0"),
        ({"minutes": math.inf}, "minutes is inf"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"learning_rate": math.nan}, "learning_rate is nan"),
        ({"average_decay": 1.0}, "average_decay is 1.0"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_settings_are_checked(changes: dict, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        Settings(**{**dataclasses.asdict(SETTINGS), **changes})


def test_settings_in_the_checkpoint_are_json() -> None:
    assert json.loads(json.dumps(SETTINGS.decisive())) == SETTINGS.decisive()
