import dataclasses
import signal
import threading
from pathlib import Path

import pytest
import torch
from line_fit import LENGTH, SETTINGS, LineFit, silent
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import nn
from training_folder import assert_same, interrupting, state, table

from radgs_core.errors import InputError
from radgs_core.training.checkpoint import CHECKPOINT
from radgs_core.training.trainer import train


@pytest.mark.parametrize("at", [3, 10, 17])
def test_interrupted_and_resumed_is_the_same_to_the_bit(tmp_path: Path, trained: tuple[Path, LineFit], at: int) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(LineFit(dropout=0.2), SETTINGS, tmp_path, interrupting(at))
    assert state(tmp_path)["step"] == at + 1  # the signal came after the step was kept
    task = LineFit(dropout=0.2)
    train(task, SETTINGS, tmp_path, silent)
    resumed, whole = state(tmp_path), state(trained[0])
    del resumed["seconds"], whole["seconds"]
    assert_same(resumed, whole)
    assert_same(dict(task.module.state_dict()), dict(trained[1].module.state_dict()))
    rows = [{**row, "seconds": ""} for row in table(tmp_path)]
    assert rows == [{**row, "seconds": ""} for row in table(trained[0])]


def test_killed_between_checkpoints_is_the_same_to_the_bit(tmp_path: Path, trained: tuple[Path, LineFit]) -> None:
    class Power(BaseException):
        pass

    def fails(fraction: float, message: str) -> None:
        if message.startswith("step 13 "):
            raise Power

    with pytest.raises(Power):
        train(LineFit(dropout=0.2), SETTINGS, tmp_path, fails)
    assert state(tmp_path)["step"] == 10  # there was a validation
    assert [int(row["step"]) for row in table(tmp_path)] == list(range(14))
    with (tmp_path / "curves.csv").open("a") as file:
        file.write("1")  # of 14,...
    train(LineFit(dropout=0.2), SETTINGS, tmp_path, silent)
    resumed, whole = state(tmp_path), state(trained[0])
    del resumed["seconds"], whole["seconds"]
    assert_same(resumed, whole)
    assert [int(row["step"]) for row in table(tmp_path)] == list(range(25))
    events = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert [event.step for event in events.Scalars("loss/square")] == list(range(1, 25))
    assert [event.step for event in events.Scalars("validation/worst")] == [0, 5, 10, 15, 20, 24]


def test_an_interruption_after_the_last_step_is_not_forgotten(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(LineFit(), SETTINGS, tmp_path, interrupting(24))
    assert state(tmp_path)["finished"]


def test_a_finished_training_is_not_done_again(trained: tuple[Path, LineFit]) -> None:
    folder, first = trained
    before, task = (folder / CHECKPOINT).read_bytes(), LineFit(dropout=0.2)
    outcome = train(task, SETTINGS, folder, silent)
    assert outcome.steps == 24 and (folder / CHECKPOINT).read_bytes() == before
    assert_same(dict(task.module.state_dict()), dict(first.module.state_dict()))


def test_a_checkpoint_of_another_training_is_refused(trained: tuple[Path, LineFit]) -> None:
    folder, _ = trained
    with pytest.raises(InputError, match=r"another settings \(learning_rate was 0.02, is 0.1\)"):
        train(LineFit(), dataclasses.replace(SETTINGS, learning_rate=0.1), folder, silent)
    other = LineFit()
    other.configuration = {"points": LENGTH, "sizes": (1, 9, 1)}
    with pytest.raises(InputError, match=r"another configuration \(sizes was \[1, 8, 1\], is \[1, 9, 1\]\)"):
        train(other, SETTINGS, folder, silent)
    wider = LineFit()
    wider.module = nn.Linear(3, 3)
    with pytest.raises(InputError, match="of another network"):
        train(wider, SETTINGS, folder, silent)
    # where and with how many threads it runs may change
    train(LineFit(), dataclasses.replace(SETTINGS, sampling_threads=1, checkpoint_seconds=1.0), folder, silent)


@pytest.mark.parametrize("damage", ["cut", "text", "foreign"])
def test_a_damaged_checkpoint_is_refused(tmp_path: Path, trained: tuple[Path, LineFit], damage: str) -> None:
    whole = (trained[0] / CHECKPOINT).read_bytes()
    (tmp_path / CHECKPOINT).write_bytes(whole[: len(whole) // 2] if damage == "cut" else b"hello")
    if damage == "foreign":
        torch.save([1, 2], tmp_path / CHECKPOINT)
    with pytest.raises(InputError, match=r"checkpoint.pt is damaged"):
        train(LineFit(), SETTINGS, tmp_path, silent)


def test_a_checkpoint_holds_no_code(tmp_path: Path, trained: tuple[Path, LineFit]) -> None:
    torch.save({**state(trained[0]), "step": pytest.approx(1)}, tmp_path / CHECKPOINT)
    with pytest.raises(InputError, match="is damaged"):
        train(LineFit(), SETTINGS, tmp_path, silent)


def test_signals_are_as_before(trained: tuple[Path, LineFit]) -> None:
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_trains_outside_the_main_thread(tmp_path: Path) -> None:
    outcomes = []
    settings = dataclasses.replace(SETTINGS, steps=2)
    thread = threading.Thread(target=lambda: outcomes.append(train(LineFit(), settings, tmp_path, silent)))
    thread.start()
    thread.join()
    assert outcomes[0].steps == 2
