"""Losses of RecM and RegM: means over exposures, whoever shares the batch; gradients everywhere."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from level_fixtures import SMALL, generator, networks, sampler_of

from radgs_core.case import Case
from radgs_core.geometry.rigid import log_se3
from radgs_core.reconstruction.presets import PRESETS as RECM_PRESETS
from radgs_core.registration.regm import PRESETS as REGM_PRESETS
from radgs_core.training import level_batch, level_task
from radgs_core.training.devices import launched
from radgs_core.training.learner import Learner
from radgs_core.training.level_batch import (
    FROM_A_PASS,
    FROM_DETECTION,
    RENDERED_SHARE,
    START_DEG,
    LevelBatch,
    LevelSampler,
    joined_levels,
)
from radgs_core.training.level_losses import displaced_mm
from radgs_core.training.level_task import LevelTask, applied
from radgs_core.training.positions import Position
from radgs_core.training.settings import Settings

PLAIN = dataclasses.replace(SMALL, counterfactual=False)
"""Counterfactual attention is drawn anew for every process."""
CANCELLED = {"recm.head.affine.bias", "recm.head.layers.3.bias"}


@pytest.fixture
def task(sampler: LevelSampler, monkeypatch: pytest.MonkeyPatch) -> LevelTask:
    monkeypatch.setattr(level_task, "VALIDATION_SCENES", 2)
    return LevelTask([sampler], networks(PLAIN), sampler, {})


def one_level(case: Case) -> Case:
    """Only L1."""
    return dataclasses.replace(case, levels={"L1": case.levels["L1"]})


def smaller(case: Case) -> Case:
    """Only L1, with fewer Gaussians and fewer points on its surface."""
    vertebra = case.levels["L1"]
    few = slice(50)
    gaussians = dataclasses.replace(
        vertebra.gaussians, **{name: value[few] for name, value in vars(vertebra.gaussians).items()}
    )
    fewer = dataclasses.replace(vertebra, gaussians=gaussians, surface_points_mm=vertebra.surface_points_mm[:200])
    return dataclasses.replace(case, levels={"L1": fewer})


def of_first_level(task: LevelTask, batch: LevelBatch) -> dict[str, torch.Tensor]:
    """What the networks make of it, and how far that is from what it should be."""
    with torch.no_grad():
        found = applied(task.module, batch)
        parts = task.losses_of(found, batch).parts
    rendered = {name: (parts[name] * batch.exposures)[None] for name in ("rendering", "voxels", "chamfer")}
    displaced = displaced_mm(found.gaussians, batch.vertebra, batch.twist)
    return {**vars(found.first(1).motion), "displaced": displaced[:1], **rendered}


def sample_with_rendered_level(task: LevelTask, seed: int) -> LevelBatch:
    return next(s for s in map(task.sample, map(generator, range(seed, seed + 50))) if s.rendered.sum() > 0)


def test_cases_of_different_sizes_make_one_batch(
    phantom_case: Case, positions: Sequence[Position], sampler: LevelSampler, task: LevelTask
) -> None:
    small = sampler_of(smaller(phantom_case), positions).drawn(generator(1))
    large = sampler.drawn(generator(2))
    both = joined_levels([small, large])
    assert len(both.twist) == 3 and float(both.exposures) == 2
    assert both.surface_mm.shape == (3, 25, 3)
    count = large.vertebra.means_mm.shape[1]
    assert both.vertebra.means_mm.shape == (3, count, 3)
    assert (both.vertebra.densities_per_mm[0, 50:] == 0).all() and (both.level.anchors.scales_mm > 0).all()
    torch.testing.assert_close(both.vertebra.means_mm[0, :50], small.vertebra.means_mm[0])
    values = torch.tensor([6.0, 1.0, 3.0])
    assert float(both.mean(values)) == pytest.approx(4.0)  # of exposures, not of levels
    assert torch.isfinite(task.loss(task.module, both).total)


def test_gaussians_that_fill_a_set_up_do_not_act(
    phantom_case: Case, positions: Sequence[Position], sampler: LevelSampler, task: LevelTask
) -> None:
    """A level alone, and together with larger ones, of which none is rendered."""
    small = sampler_of(smaller(phantom_case), positions).drawn(generator(1))
    alone = dataclasses.replace(small, rendered=torch.ones(1))
    large = sampler.drawn(generator(2))
    together = joined_levels([alone, dataclasses.replace(large, rendered=torch.zeros(2))])
    assert together.vertebra.means_mm.shape[1] > 2 * alone.vertebra.means_mm.shape[1]
    task.module.eval()
    one, with_others = (of_first_level(task, batch) for batch in (alone, together))
    assert one["twist"].abs().max() > 1e-3 and one["chamfer"] > 0.1
    for name, values in one.items():
        torch.testing.assert_close(
            with_others[name], values, atol=1e-5, rtol=1e-4, msg=lambda m, name=name: f"{name}: {m}"
        )


def test_the_loss_of_a_batch_is_the_mean_over_its_shares(
    phantom_case: Case, positions: Sequence[Position], task: LevelTask
) -> None:
    parts = [
        sample_with_rendered_level(task, 0),
        sampler_of(one_level(phantom_case), positions).drawn(generator(3)),
    ]
    losses = [task.loss(task.module, part) for part in parts]
    whole = task.loss(task.module, joined_levels(parts))
    for name, value in whole.parts.items():
        mean = (losses[0].parts[name] + losses[1].parts[name]) / 2
        torch.testing.assert_close(value, mean, atol=1e-5, rtol=1e-5, msg=lambda m, name=name: f"{name}: {m}")


def test_starts_are_what_detection_leaves_and_what_a_pass_leaves(sampler: LevelSampler) -> None:
    """Half of them near; both as wide as the constants say, and turns as well as shifts."""
    rng = np.random.default_rng(0)
    true = np.stack([np.eye(4)] * 40)
    spreads = []
    for _ in range(200):
        twists = np.stack([log_se3(pose) for pose in sampler._wrong(true, rng)])
        spreads.append(np.median(np.abs(twists[:, 3:])) / 0.6745 / np.radians(START_DEG))
    assert np.mean(np.array(spreads) < FROM_DETECTION[0]) == pytest.approx(0.5 * 25 / 45, abs=0.1)
    assert min(spreads) == pytest.approx(FROM_A_PASS[0], abs=0.03)
    assert max(spreads) == pytest.approx(FROM_DETECTION[1], abs=0.5)  # of few numbers each


def test_reconstructions_are_rendered_once_an_exposure_on_average() -> None:
    rng = np.random.default_rng(0)
    drawn = torch.stack([level_batch._rendered(5, rng) for _ in range(1000)])
    assert set(drawn.sum(1).tolist()) == {0.0, 1 / RENDERED_SHARE}
    np.testing.assert_allclose(drawn.mean(0), 1 / 5, atol=0.06)


def assert_gradients(module: torch.nn.Module) -> None:
    """Finite and not zero, but for biases that are the same with and without attention, so that they cancel."""
    for name, parameter in module.named_parameters():
        assert parameter.grad is not None and torch.isfinite(parameter.grad).all(), name
        assert (parameter.grad.abs().max() > 0) == (name not in CANCELLED), name


def test_every_parameter_gets_a_gradient(sampler: LevelSampler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(level_task, "VALIDATION_SCENES", 1)
    task = LevelTask([sampler], networks(), sampler, {})
    losses = task.loss(task.module, sample_with_rendered_level(task, 0))
    losses.total.backward()
    assert set(losses.parts) == set(level_task.WEIGHTS)
    assert_gradients(task.module)


def test_a_step_of_the_paper_preset(
    phantom_case: Case, positions: Sequence[Position], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(level_task, "VALIDATION_SCENES", 1)
    made = networks(RECM_PRESETS["paper"], REGM_PRESETS["paper"])
    source = sampler_of(one_level(phantom_case), positions, RECM_PRESETS["paper"])
    task = LevelTask([source], made, source, {})
    batch = sample_with_rendered_level(task, 0)
    assert batch.level.images.shape[-2:] == (128, 128)
    assert batch.level.anchors.means_mm.shape == (1, 10_000, 3)
    losses = task.loss(task.module, batch)
    assert "displaced" not in losses.parts  # a grid does not correspond to the CT's Gaussians
    assert all(torch.isfinite(value) for value in losses.parts.values())
    losses.total.backward()
    assert_gradients(task.module)
    task.module.zero_grad()
    before = {name: parameter.detach().clone() for name, parameter in task.module.named_parameters()}
    settings = Settings(batch_size=1, learning_rate=1e-3, validate_every=1, steps=1, accelerator="cpu")
    step = Learner(launched(settings), task, settings, None).learn(batch, 0, 0.0, 0.0, False)
    assert set(step.losses) == {"loss", *(f"loss/{name}" for name in losses.parts)}
    for name, parameter in task.module.named_parameters():
        assert torch.isfinite(parameter).all() and torch.equal(parameter, before[name]) == (name in CANCELLED), name


def test_validation_is_the_same_every_time(task: LevelTask) -> None:
    task.module.eval()
    with torch.no_grad():
        assert task.validate(task.module) == task.validate(task.module)
