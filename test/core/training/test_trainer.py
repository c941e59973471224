import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from line_fit import LENGTH, SETTINGS, LineFit, Points, silent
from torch import nn
from training_folder import state, table

from radgs_core.errors import InputError
from radgs_core.training import devices
from radgs_core.training.schedule import LAST_SHARE
from radgs_core.training.task import Losses, Validation
from radgs_core.training.trainer import train


def test_learns_and_leaves_the_best_weights(tmp_path: Path) -> None:
    task, messages = LineFit(), []
    settings = dataclasses.replace(SETTINGS, steps=300, validate_every=50)
    outcome = train(task, settings, tmp_path, lambda fraction, message: messages.append((fraction, message)))
    scores = {int(row["step"]): float(row["validation"]) for row in table(tmp_path) if row["validation"]}
    assert list(scores) == [0, 50, 100, 150, 200, 250, 300]
    assert outcome.steps == 300 and outcome.best.score == min(scores.values()) == scores[outcome.best_step]
    assert outcome.best.score < 0.01 < 0.5 < scores[0]
    with torch.no_grad():
        assert task.validate(task.module.eval()) == outcome.best
    fractions = [fraction for fraction, _ in messages]
    assert fractions == sorted(fractions) and fractions[-1] == 1.0
    assert messages[-1][1].startswith("step 300 of 300, loss ") and "0 s left" in messages[-1][1]


def test_leaves_the_best_weights_where_later_ones_are_worse(tmp_path: Path) -> None:
    class Spoiled(LineFit):
        def validate(self, module: nn.Module) -> Validation:
            seen = int(module.seen)  # type: ignore[arg-type]
            return Validation(abs(seen - 10.0), {})

    task = Spoiled()
    outcome = train(task, SETTINGS, tmp_path, silent)
    assert (outcome.best_step, outcome.best.score, outcome.steps) == (10, 0.0, 24)
    assert int(task.module.seen) == 10  # type: ignore[arg-type]


def test_curves_say_what_was_done(trained: tuple[Path, LineFit]) -> None:
    folder, _ = trained
    rows = table(folder)
    assert list(rows[0]) == [
        *("step", "seconds", "validation", "validation/worst", "learning_rate", "loss", "loss/square"),
    ]
    rates = [float(row["learning_rate"]) for row in rows[1:]]
    assert rates[0] == pytest.approx(SETTINGS.learning_rate / 4)  # first of three steps of warm-up
    assert max(rates) == rates[3] and rates[3:] == sorted(rates[3:], reverse=True)
    angle = math.pi * 23 / 24
    assert rates[-1] == pytest.approx(SETTINGS.learning_rate * (LAST_SHARE + 0.99 * 0.5 * (1 + math.cos(angle))))
    seconds = [float(row["seconds"]) for row in rows]
    assert seconds == sorted(seconds)


def test_samples_are_those_of_seed_step_and_number(trained: tuple[Path, LineFit]) -> None:
    _, task = trained
    expected = [np.random.default_rng([7, s, i]).uniform(-1, 1, LENGTH)[0] for s in range(24) for i in range(4)]
    assert task.first_x[: 24 * 4] == pytest.approx(expected, abs=1e-6)


def test_the_first_step_is_adamw(tmp_path: Path) -> None:
    task, start = LineFit(), LineFit()
    settings = dataclasses.replace(SETTINGS, steps=1, average_decay=0.0, weight_decay=0.1, largest_gradient_norm=0.05)
    train(task, settings, tmp_path, silent)
    batch = start.collate([start.sample(np.random.default_rng([7, 0, i])) for i in range(4)])
    start.loss(start.module, batch).total.backward()
    gradients = [p.grad for p in start.module.parameters() if p.grad is not None]
    assert torch.cat([g.flatten() for g in gradients]).norm() > 0.05
    nn.utils.clip_grad_norm_(start.module.parameters(), 0.05)
    rate = SETTINGS.learning_rate / 4
    weights = state(tmp_path)["weights"]
    for name, p in start.module.named_parameters():
        if p.grad is None:
            expected = p  # not even decay
        else:  # of the first step: the first moment over the root of the second is the gradient's sign
            kept = 1 - rate * 0.1 if p.ndim > 1 else 1.0
            expected = p * kept - rate * p.grad / (p.grad.abs() + 1e-8)
        torch.testing.assert_close(weights[name], expected.detach(), atol=1e-6, rtol=0)


def test_the_average_follows_the_weights(tmp_path: Path) -> None:
    task, start = LineFit(), LineFit()
    train(task, dataclasses.replace(SETTINGS, steps=1), tmp_path, silent)
    kept = state(tmp_path)
    for name, p in start.module.named_parameters():
        expected = 2 / 11 * p.detach() + 9 / 11 * kept["weights"][name]  # (1 + 1) / (10 + 1) stays
        torch.testing.assert_close(kept["average"][name], expected)
    assert int(kept["average"]["seen"]) == 1


class Poisoned(LineFit):
    """From one step on, its loss or only its gradient is no number."""

    def __init__(self, at: int, gradient_only: bool) -> None:
        super().__init__()
        self._calls, self._at, self._gradient_only = 0, at, gradient_only

    def loss(self, module: nn.Module, batch: Points) -> Losses:
        losses, self._calls = super().loss(module, batch), self._calls + 1
        if self._calls < self._at:
            return losses
        if not self._gradient_only:
            return Losses(losses.total * math.inf, losses.parts)
        return Losses(losses.total + torch.sqrt(losses.total - losses.total), losses.parts)  # infinite slope at 0


@pytest.mark.parametrize("gradient_only", [False, True])
def test_a_loss_that_is_no_number_stops_and_keeps_the_checkpoint(tmp_path: Path, gradient_only: bool) -> None:
    with pytest.raises(InputError, match=r"loss is (inf|nan) at step 8; lower the learning rate"):
        train(Poisoned(8, gradient_only), SETTINGS, tmp_path, silent)
    kept = state(tmp_path)
    assert kept["step"] == 5 and all(tensor.isfinite().all() for tensor in kept["weights"].values())


def test_a_score_that_is_no_number_stops(tmp_path: Path) -> None:
    class Blind(LineFit):
        def validate(self, module: nn.Module) -> Validation:
            return Validation(math.nan if module.seen else math.inf, {})  # infinite at the start is allowed

    with pytest.raises(InputError, match="score is NaN at step 5"):
        train(Blind(), SETTINGS, tmp_path, silent)


def test_half_precision_where_it_is_asked_for(tmp_path: Path) -> None:
    kinds = []

    class Watched(LineFit):
        def loss(self, module: nn.Module, batch: Points) -> Losses:
            inner = self.module.layers[0]  # type: ignore[index]
            hook = inner.register_forward_hook(lambda module, x, y: kinds.append(y.dtype))
            losses = super().loss(module, batch)
            hook.remove()
            kinds.append(losses.total.dtype)
            return losses

    settings = dataclasses.replace(SETTINGS, steps=1, precision="bf16-mixed")
    train(Watched(), settings, tmp_path, silent)
    assert kinds == [torch.bfloat16, torch.float32]
    with pytest.raises(InputError, match="16-mixed needs CUDA"):
        train(LineFit(), dataclasses.replace(SETTINGS, precision="16-mixed"), tmp_path / "other", silent)


@pytest.mark.parametrize(("flags", "precision"), [("fma amx_bf16 avx", "bf16-mixed"), ("avx512_bf16 fma", "32-true")])
def test_bfloat16_is_for_hardware_that_multiplies_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: str, precision: str
) -> None:
    monkeypatch.setattr(devices, "CPU_FLAGS", tmp_path / "cpuinfo")
    (tmp_path / "cpuinfo").write_text(f"model name\t: some\nflags\t\t: fpu {flags} sse\n")
    assert devices.quickest_precision("cpu") == precision
