"""P1: RecM and RegM learn what vertebrae look like, from the CTs of many patients."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from radgs_core.case import Case
from radgs_core.io.code_version import code_version
from radgs_core.io.model_card import ModelCard, TrainingData
from radgs_core.networks import LevelNetworks
from radgs_core.progress import Progress
from radgs_core.reconstruction.presets import PRESETS as RECM_PRESETS
from radgs_core.reconstruction.presets import RecMPreset
from radgs_core.registration.regm import PRESETS as REGM_PRESETS
from radgs_core.training.case_hashes import input_hashes
from radgs_core.training.devices import quickest_precision
from radgs_core.training.level_batch import LevelBatch, LevelSampler
from radgs_core.training.level_task import LevelTask
from radgs_core.training.positions import drawn_positions
from radgs_core.training.scenes import SceneSampler
from radgs_core.training.seeded import seeded_weights
from radgs_core.training.settings import Accelerator, Settings
from radgs_core.training.trainer import Outcome, train

PresetName = Literal["cpu", "paper"]

POSITIONS = 40
"""C-arm positions that are ray cast of every case: few, since the many cases vary more than positions do."""
BATCH = 4
"""Exposures a step; each gives all levels of its case."""
LEARNING_RATE = 1e-3
VALIDATE_EVERY = 200
INTENDED_USE = (
    "Research: a start for the training of networks of one patient (radgs-reg prepare --weights). Not a medical device."
)
LIMITS = (
    "Trained on simulated X-rays only, of vertebrae like those of the data below. Alone it knows no patient: it cannot"
    " find vertebrae, and poses from it are worse than after training for the patient."
)


@dataclass(frozen=True)
class TrainedPrior:
    """What came of P1.

    Attributes:
        networks: with the best weights by validation.
        card: where they come from.
    """

    networks: LevelNetworks
    card: ModelCard


@dataclass(frozen=True)
class _AnyOf:
    """Levels of one of several cases, any of them alike."""

    sources: Sequence[LevelSampler]

    def drawn(self, rng: np.random.Generator) -> LevelBatch:
        """All levels of one exposure."""
        return self.sources[int(rng.integers(len(self.sources)))].drawn(rng)


def trained_prior(
    training: Sequence[Case],
    validation: Sequence[Case],
    minutes: float,
    folder: Path,
    progress: Progress,
    *,
    seed: int = 0,
    accelerator: Accelerator = "auto",
    preset: PresetName = "cpu",
) -> TrainedPrior:
    """Train RecM and RegM on simulated exposures of many cases.

    Args:
        training, validation: cases of different patients.
        minutes: of training; ray casting before comes on top.
        folder: for checkpoint and curves; training that was interrupted is continued from there.
        progress: called with a fraction and a message.
        seed: of first weights, positions and exposures.
        accelerator: where to train.
        preset: size of the networks.

    Raises:
        InputError: the checkpoint is damaged or does not fit, or training fails (see `train`).
    """
    with seeded_weights(seed):
        networks = LevelNetworks.new(RECM_PRESETS[preset], REGM_PRESETS[preset])
    count = len(training) + len(validation)
    hashes: list[tuple[str, ...]] = []
    sides = []
    for side in (training, validation):
        samplers = []
        for case in side:
            done = len(hashes) / count

            def part(fraction: float, message: str, done: float = done) -> None:
                progress(0.1 * (done + fraction / count), message)

            samplers.append(_sampler(case, networks.recm.preset, [seed, len(hashes)], part))
            hashes.append(tuple(input_hashes(case).values()))
        sides.append(samplers)
    task = LevelTask(
        sides[0],
        networks,
        _AnyOf(sides[1]),
        {"stage": "P1", "cases": hashes, "training": len(training), "positions": POSITIONS},
    )
    settings = Settings(
        batch_size=BATCH,
        learning_rate=LEARNING_RATE,
        validate_every=VALIDATE_EVERY,
        minutes=minutes,
        seed=seed,
        precision=quickest_precision(accelerator),
        accelerator=accelerator,
    )
    outcome = train(task, settings, folder, lambda f, message: progress(0.1 + 0.9 * f, message))
    task.module.cpu()
    networks.recm.eval()
    networks.regm.eval()
    return TrainedPrior(networks, _card(outcome, hashes[: len(training)], hashes[len(training) :], preset, seed))


def _sampler(case: Case, preset: RecMPreset, seed: Sequence[int], progress: Progress) -> LevelSampler:
    own_seed = int(np.random.SeedSequence(seed).generate_state(1)[0])
    return LevelSampler(case, SceneSampler(case, drawn_positions(case, POSITIONS, own_seed, progress)), preset)


def _card(
    outcome: Outcome,
    training: Sequence[tuple[str, ...]],
    validation: Sequence[tuple[str, ...]],
    preset: PresetName,
    seed: int,
) -> ModelCard:
    def used(cases: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(digest for case in cases for digest in case))  # a scan may give several cases

    return ModelCard(
        what=f"RecM and RegM of many patients, preset {preset}",
        data=(
            TrainingData(f"simulated X-rays, from CTs and label maps; cases: {len(training)}", used(training)),
            TrainingData(f"validation: the same of other patients; cases: {len(validation)}", used(validation)),
        ),
        seeds=(seed,),
        steps=outcome.steps,
        minutes=outcome.seconds / 60,
        metrics={
            "one pass, mean TRE on other patients, mm": outcome.best.score,
            "one pass, median TRE on other patients, mm": outcome.best.metrics["median_tre_mm"],
        },
        code_version=code_version(),
        created=datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        intended_use=INTENDED_USE,
        limits=LIMITS,
    )
