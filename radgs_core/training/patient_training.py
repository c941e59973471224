"""P2: the networks of one patient, from the case and so many minutes."""

import datetime
from pathlib import Path

from radgs_core.case import Case
from radgs_core.detection.network import DetectionNetwork, DetectionSize
from radgs_core.io.code_version import code_version
from radgs_core.io.model_card import ModelCard, TrainingData
from radgs_core.networks import LevelNetworks, Networks
from radgs_core.progress import Progress
from radgs_core.reconstruction.presets import PRESETS as RECM_PRESETS
from radgs_core.registration.regm import PRESETS as REGM_PRESETS
from radgs_core.training.case_hashes import input_hashes
from radgs_core.training.detection_task import DetectionTask
from radgs_core.training.level_batch import LevelSampler
from radgs_core.training.level_task import LevelTask
from radgs_core.training.positions import drawn_positions
from radgs_core.training.scenes import SceneSampler
from radgs_core.training.seeded import seeded_weights
from radgs_core.training.settings import Accelerator, Settings
from radgs_core.training.trainer import Outcome, train

RAY_CASTING_SHARE, DETECTION_SHARE, LEVELS_SHARE = 0.05, 0.45, 0.48
"""Of the minutes. They are fixed before, so that an interrupted training can be continued; a little is left over."""
POSITIONS_A_MINUTE, MOST_POSITIONS = 15, 300
"""C-arm positions that are ray cast before: more show the networks more, and take longer."""
DETECTION_BATCH, LEVEL_BATCH = 8, 4
"""Exposures a step; each gives two images to detection, and all levels to RecM and RegM."""
DETECTION_RATE, LEVEL_RATE = 2e-3, 1e-3
VALIDATE_EVERY = 100
INTENDED_USE = (
    "Research on registering the vertebrae named above, of the one patient they were trained for, to AP and lateral"
    " X-rays. Not a medical device."
)
LIMITS = (
    "The C-arm within 18 degrees of an AP and of a lateral view from the patient's right, the patient's head up in the"
    " images and within 6 degrees and 36 mm of where simulation puts a supine patient. Trained on simulated X-rays"
    " only. Other patients, other levels and other views give nothing usable."
)


def trained_networks(
    case: Case,
    minutes: float,
    folder: Path,
    progress: Progress,
    *,
    seed: int = 0,
    accelerator: Accelerator = "auto",
    prior: Path | None = None,
) -> Networks:
    """Train detection, RecM and RegM for a patient, within so many minutes altogether.

    Args:
        case: the patient.
        minutes: wall clock, ray casting of positions included.
        folder: for checkpoints and curves; training that was interrupted is continued from there.
        progress: called with a fraction and a message.
        seed: of first weights, positions and exposures.
        accelerator: where to train.
        prior: weights of RecM and RegM to begin with, trained on other patients (P1).

    Raises:
        InputError: ``prior`` or a checkpoint is damaged or does not fit, or training fails (see `train`).
    """
    if prior is not None:
        networks = LevelNetworks.read(prior)
    else:
        with seeded_weights(seed):
            networks = LevelNetworks.new(RECM_PRESETS["cpu"], REGM_PRESETS["cpu"])
    scenes = patient_scenes(case, minutes, seed, lambda f, message: progress(RAY_CASTING_SHARE * f, message))
    detection, of_detection = trained_detection(
        case,
        scenes,
        DETECTION_SHARE * minutes,
        folder / "detection",
        lambda f, message: progress(RAY_CASTING_SHARE + DETECTION_SHARE * f, f"detection, {message}"),
        seed=seed,
        accelerator=accelerator,
    )
    of_levels = train_levels(
        case,
        scenes,
        networks,
        LEVELS_SHARE * minutes,
        folder / "levels",
        lambda f, message: progress(
            RAY_CASTING_SHARE + DETECTION_SHARE + LEVELS_SHARE * f, f"RecM and RegM, {message}"
        ),
        seed=seed,
        accelerator=accelerator,
    )
    return Networks(tuple(case.levels), detection, networks, _card(case, of_detection, of_levels, seed))


def patient_scenes(case: Case, minutes: float, seed: int, progress: Progress) -> SceneSampler:
    """Exposures of a patient from as many positions as so many minutes of training call for."""
    count = max(1, min(MOST_POSITIONS, round(POSITIONS_A_MINUTE * minutes)))
    return SceneSampler(case, drawn_positions(case, count, seed, progress))


def trained_detection(
    case: Case,
    scenes: SceneSampler,
    minutes: float,
    folder: Path,
    progress: Progress,
    *,
    seed: int = 0,
    accelerator: Accelerator = "auto",
) -> tuple[DetectionNetwork, Outcome]:
    """Train detection alone; arguments and errors as of `trained_networks`."""
    with seeded_weights(seed):
        task = DetectionTask(case, scenes, DetectionSize(), _origin(case))
    outcome = train(task, _settings(minutes, DETECTION_BATCH, DETECTION_RATE, seed, accelerator), folder, progress)
    return task.network.cpu().eval(), outcome


def train_levels(
    case: Case,
    scenes: SceneSampler,
    networks: LevelNetworks,
    minutes: float,
    folder: Path,
    progress: Progress,
    *,
    seed: int = 0,
    accelerator: Accelerator = "auto",
) -> Outcome:
    """Train RecM and RegM alone, in place; arguments and errors as of `trained_networks`."""
    sampler = LevelSampler(case, scenes, networks.recm.preset)
    task = LevelTask([sampler], networks, sampler, _origin(case))
    outcome = train(task, _settings(minutes, LEVEL_BATCH, LEVEL_RATE, seed, accelerator), folder, progress)
    task.module.cpu().eval()
    return outcome


def _origin(case: Case) -> dict[str, object]:
    return {"stage": "P2", "levels": list(case.levels), "patient": dict(input_hashes(case))}


def _settings(minutes: float, batch: int, rate: float, seed: int, accelerator: Accelerator) -> Settings:
    return Settings(
        batch_size=batch,
        learning_rate=rate,
        validate_every=VALIDATE_EVERY,
        minutes=minutes,
        seed=seed,
        precision="bf16-mixed",
        accelerator=accelerator,
        sampling_threads=1,
    )


def _card(case: Case, of_detection: Outcome, of_levels: Outcome, seed: int) -> ModelCard:
    return ModelCard(
        what=f"Networks that find {', '.join(case.levels)} of one patient",
        data=(TrainingData("simulated X-rays of the patient's CT", tuple(input_hashes(case).values())),),
        seeds=(seed,),
        steps=of_detection.steps + of_levels.steps,
        minutes=(of_detection.seconds + of_levels.seconds) / 60,
        metrics={
            "detection, mean distance of landmarks, heat map px": of_detection.best.metrics["place"],
            "RecM and RegM, one pass, mean TRE, mm": of_levels.best.score,
        },
        code_version=code_version(),
        created=datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        intended_use=INTENDED_USE,
        limits=LIMITS,
    )
