"""P_full: the networks of one patient adapt to X-ray pairs of unknown pose."""

import copy
import dataclasses
import datetime
from collections.abc import Sequence
from pathlib import Path

from radgs_core.case import Case
from radgs_core.errors import InputError
from radgs_core.io.code_version import code_version
from radgs_core.io.model_card import ModelCard, TrainingData
from radgs_core.networks import Networks
from radgs_core.progress import Progress
from radgs_core.training.case_hashes import input_hashes
from radgs_core.training.devices import quickest_precision
from radgs_core.training.level_batch import LevelSampler
from radgs_core.training.level_task import LevelTask
from radgs_core.training.pair_scenes import found_scenes
from radgs_core.training.positions import drawn_positions
from radgs_core.training.scenes import PatientScenes
from radgs_core.training.settings import Accelerator, Settings
from radgs_core.training.synergistic_task import SynergisticTask
from radgs_core.training.trainer import Outcome, train
from radgs_core.training.xray_pairs import XrayPair

POSITIONS = 100
"""C-arm positions of the simulated exposures: fewer than in P2, since they only keep up what is learnt."""
BATCH = 2
"""Simulated exposures a step, and as many real ones."""
LEARNING_RATE = 2e-4
VALIDATE_EVERY = 50
LIMITS_ADDED = (
    " RecM and RegM were then adapted to the X-ray pairs named above: their errors on these are no measure of their"
    " errors on others."
)


def fully_trained(
    case: Case,
    pairs: Sequence[XrayPair],
    minutes: float,
    folder: Path,
    progress: Progress,
    *,
    seed: int = 0,
    accelerator: Accelerator = "auto",
) -> Networks:
    """Train RecM and RegM of a case on, with simulated exposures and real pairs; detection stays as it is.

    Args:
        case: the patient, with networks.
        pairs: of this patient.
        minutes: of training; finding the levels and ray casting before come on top.
        folder: for checkpoint and curves; training that was interrupted is continued from there.
        progress: called with a fraction and a message.
        seed: of positions and exposures.
        accelerator: where to train.

    Returns:
        New networks; those of the case are left as they are.

    Raises:
        InputError: the case has no networks, the levels are found in no pair, the checkpoint is damaged or does not
            fit, or training fails (see `train`).
    """
    if case.networks is None:
        raise InputError("the case has no networks to train on; prepare it with radgs-reg prepare --minutes.")
    scenes = found_scenes(case, case.networks, pairs, lambda f, message: progress(0.05 * f, message))
    positions = drawn_positions(case, POSITIONS, seed, lambda f, message: progress(0.05 + 0.05 * f, message))
    networks = copy.deepcopy(case.networks.per_level)
    drawn = PatientScenes.of(case, positions)
    sampler, held_out = (LevelSampler(case, each, networks.recm.preset) for each in (drawn.training, drawn.validation))
    origin = {"patient": dict(input_hashes(case)), "levels": list(case.levels), "positions": POSITIONS}
    hashes = tuple(pair.sha256 for pair in pairs)
    task = SynergisticTask(
        LevelTask([sampler], networks, held_out, origin),
        sampler,
        scenes,
        networks,
        {"stage": "P_full", "pairs": hashes},
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
    task.module.cpu().eval()
    card = _card(case.networks.card, outcome, hashes, len(scenes), seed)
    return dataclasses.replace(case.networks, per_level=networks, card=card)


def _card(before: ModelCard, outcome: Outcome, pairs: Sequence[str], found: int, seed: int) -> ModelCard:
    what = f"{found} of {len(pairs)} pairs of X-rays of the patient in which the levels were found, poses unknown"
    return dataclasses.replace(
        before,
        data=(*before.data, TrainingData(what, tuple(pairs))),
        seeds=(*before.seeds, seed),
        steps=before.steps + outcome.steps,
        minutes=before.minutes + outcome.seconds / 60,
        metrics={
            **before.metrics,
            "after adaptation, one pass, mean TRE on simulated X-rays, mm": outcome.best.metrics["simulated_tre_mm"],
            "after adaptation, disagreement with the real X-rays (0 is best)": outcome.best.metrics["real"],
        },
        code_version=code_version(),
        created=datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        limits=before.limits + LIMITS_ADDED,
    )
