"""P_full's loss on real exposures: how well renderings agree with them, and who learns from it."""

import dataclasses

import numpy as np
import pytest
import torch
from level_fixtures import generator, networks

from radgs_core.training import level_task, synergistic_task
from radgs_core.training.level_batch import LevelSampler
from radgs_core.training.level_losses import agreement
from radgs_core.training.level_task import LevelTask
from radgs_core.training.synergistic_task import SynergisticBatch, SynergisticTask


@pytest.fixture
def task(sampler: LevelSampler, monkeypatch: pytest.MonkeyPatch) -> SynergisticTask:
    """Its real exposures are simulated ones of other settings."""
    monkeypatch.setattr(level_task, "VALIDATION_SCENES", 1)
    monkeypatch.setattr(synergistic_task, "VALIDATION_DRAWS", 2)
    made = networks()
    pairs = [sampler._scenes.scene(np.random.default_rng(100 + number)) for number in range(2)]
    return SynergisticTask(LevelTask([sampler], made, sampler, {}), sampler, pairs, made, {})


def of_kind(batch: SynergisticBatch, pose_known: bool) -> SynergisticBatch:
    """With every real level looked at, in one of the two ways."""
    count = len(batch.real.twist)
    real = dataclasses.replace(
        batch.real, seed=torch.full((count,), 0 if pose_known else 1), rendered=torch.full((count,), 1 / count)
    )
    return dataclasses.replace(batch, real=real)


def gradients_of_real(task: SynergisticTask, batch: SynergisticBatch) -> tuple[float, float]:
    """Largest gradient in RecM and in RegM."""
    task.module.zero_grad()
    task.loss(task.module, batch).parts["real"].backward()
    module = task.module
    assert isinstance(module, level_task.LevelModule)
    largest = [
        max(float(p.grad.abs().max()) for p in part.parameters() if p.grad is not None) if any_gradient(part) else 0.0
        for part in (module.recm, module.regm)
    ]
    return largest[0], largest[1]


def any_gradient(module: torch.nn.Module) -> bool:
    return any(p.grad is not None for p in module.parameters())


def test_who_learns_from_real_exposures(task: SynergisticTask) -> None:
    batch = task.collate([task.sample(generator(seed)) for seed in range(2)])
    recm, regm = gradients_of_real(task, of_kind(batch, pose_known=True))
    assert recm > 0 and regm == 0
    recm, regm = gradients_of_real(task, of_kind(batch, pose_known=False))
    assert recm > 0 and regm > 0


def test_truth_of_real_exposures_is_not_used(task: SynergisticTask) -> None:
    batch = of_kind(task.collate([task.sample(generator(0))]), pose_known=False)
    wrong = dataclasses.replace(batch.real, twist=batch.real.twist + 3, places=batch.real.places + 1)
    torch.manual_seed(0)
    expected = task.loss(task.module, batch).total
    torch.manual_seed(0)
    assert task.loss(task.module, dataclasses.replace(batch, real=wrong)).total == expected


def test_the_loss_of_a_batch_is_the_mean_over_its_shares(task: SynergisticTask) -> None:
    task.module.eval()  # counterfactual attention is then no matter of chance
    samples = [of_kind(task.sample(generator(seed)), pose_known=seed % 2 == 0) for seed in range(2)]
    single = [task.loss(task.module, sample).parts["real"] for sample in samples]
    whole = task.loss(task.module, task.collate(samples)).parts["real"]
    torch.testing.assert_close(whole, (single[0] + single[1]) / 2)


def test_validation_counts_disagreement(task: SynergisticTask) -> None:
    task.module.eval()
    with torch.no_grad():
        validation = task.validate(task.module)
    real = validation.metrics["real"]
    assert 0 < real < 2
    assert validation.score == pytest.approx(
        validation.metrics["simulated_tre_mm"] + synergistic_task.AGREEMENT_WEIGHT * real
    )


def test_a_vertebra_agrees_best_where_it_is(sampler: LevelSampler, task: SynergisticTask) -> None:
    scene = sampler._scenes.scene(np.random.default_rng(4))
    true = scene.T_reference_level @ sampler._T_ct_vertebra
    batch = sampler.expected_at(scene, true, generator())
    here, beside = (
        np.mean(
            [
                float(task._agreement(synergistic_task._at_found_pose(batch, n, torch.tensor(twist)), batch, n))
                for n in range(2)
            ]
        )
        for twist in ([0.0] * 6, [0.0, 8.0, 8.0, 0, 0, 0])
    )
    assert here > beside + 0.02


def test_agreement_of_identical_images() -> None:
    from radgs_core.xray.normalisation import normalised

    image = torch.randn(2, 32, 32, generator=torch.Generator().manual_seed(0)).cumsum(-1)
    usable, own = torch.ones_like(image), torch.ones_like(image)
    observed = normalised(image, usable, 9)[:, 1]
    inner = (slice(None), slice(5, -5), slice(5, -5))
    local = (observed[inner] ** 2).mean()
    assert float(agreement(observed, 3 * image + 1, usable, own, 9)) == pytest.approx(1.0, abs=0.15)
    assert float(agreement(observed, -image, usable, own, 9)) == pytest.approx(-1.0, abs=0.15)
    assert 0.8 < float(local) < 1.2
