"""P2: the networks of one patient, from the case and so many minutes."""

import datetime
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from radgs_core.case import Case
from radgs_core.detection.network import DetectionNetwork, DetectionSize
from radgs_core.io.code_version import code_version
from radgs_core.io.model_card import ModelCard, TrainingData
from radgs_core.io.sha256 import sha256_of
from radgs_core.io.weights_file import read_weights
from radgs_core.networks import LevelNetworks, Networks
from radgs_core.progress import Progress
from radgs_core.reconstruction.presets import PRESETS as RECM_PRESETS
from radgs_core.registration.regm import PRESETS as REGM_PRESETS
from radgs_core.training.case_hashes import input_hashes
from radgs_core.training.detection_task import DetectionTask
from radgs_core.training.devices import quickest_precision
from radgs_core.training.level_batch import LevelSampler
from radgs_core.training.level_task import LevelTask
from radgs_core.training.positions import ANGLE_DEG, PATIENT_DEG, SHIFT_MM, drawn_positions
from radgs_core.training.scenes import PatientScenes
from radgs_core.training.seeded import seeded_weights
from radgs_core.training.settings import Accelerator, Settings
from radgs_core.training.trainer import Outcome, train

RAY_CASTING_SHARE, DETECTION_SHARE, LEVELS_SHARE = 0.05, 0.30, 0.63
"""Of the minutes. They are fixed before, so that an interrupted training can be continued; a little is left over."""
POSITIONS_A_MINUTE, FEWEST_POSITIONS, MOST_POSITIONS = 15, 2, 300
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
    f"The C-arm within {ANGLE_DEG:g} degrees of an AP and of a lateral view from the patient's right, the patient's"
    f" head up in the images and within {PATIENT_DEG:g} degrees and {SHIFT_MM:g} mm of where simulation puts a supine"
    " patient. Other patients, other levels and other views give nothing usable."
)


@dataclass(frozen=True)
class LevelStart:
    """What the training of RecM and RegM begins with.

    Attributes:
        networks: trained in place.
        origin: JSON values that tell one start from another.
        card: where weights of other patients come from (P1); None for new ones.
    """

    networks: LevelNetworks
    origin: dict[str, Any]
    card: ModelCard | None = None

    @classmethod
    def new(cls, networks: LevelNetworks) -> "LevelStart":
        """Untrained networks."""
        return cls(networks, {"prior": None})

    @classmethod
    def after(cls, prior: Path) -> "LevelStart":
        """Networks of other patients.

        Raises:
            InputError: the file is missing, damaged, or of something else.
        """
        return cls(LevelNetworks.read(prior), {"prior": sha256_of(prior)}, read_weights(prior).card)


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
        start = LevelStart.after(prior)
    else:
        with seeded_weights(seed):
            start = LevelStart.new(LevelNetworks.new(RECM_PRESETS["cpu"], REGM_PRESETS["cpu"]))
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
        start,
        LEVELS_SHARE * minutes,
        folder / "levels",
        lambda f, message: progress(
            RAY_CASTING_SHARE + DETECTION_SHARE + LEVELS_SHARE * f, f"RecM and RegM, {message}"
        ),
        seed=seed,
        accelerator=accelerator,
    )
    card = patient_card(case, start, of_levels, of_detection, seed=seed)
    return Networks(tuple(case.levels), detection, start.networks, card)


def patient_scenes(case: Case, minutes: float, seed: int, progress: Progress) -> PatientScenes:
    """Exposures of a patient from as many positions as so many minutes of training call for."""
    count = max(FEWEST_POSITIONS, min(MOST_POSITIONS, round(POSITIONS_A_MINUTE * minutes)))
    return PatientScenes.of(case, drawn_positions(case, count, seed, progress))


def trained_detection(
    case: Case,
    scenes: PatientScenes,
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
    scenes: PatientScenes,
    start: LevelStart,
    minutes: float,
    folder: Path,
    progress: Progress,
    *,
    seed: int = 0,
    accelerator: Accelerator = "auto",
) -> Outcome:
    """Train RecM and RegM alone, in place; arguments and errors as of `trained_networks`."""
    preset = start.networks.recm.preset
    training, validation = (LevelSampler(case, each, preset) for each in (scenes.training, scenes.validation))
    task = LevelTask([training], start.networks, validation, {**_origin(case), **start.origin})
    outcome = train(task, _settings(minutes, LEVEL_BATCH, LEVEL_RATE, seed, accelerator), folder, progress)
    task.module.cpu().eval()
    return outcome


def patient_card(
    case: Case, start: LevelStart, of_levels: Outcome, of_detection: Outcome | None = None, *, seed: int = 0
) -> ModelCard:
    """Where the networks of a patient come from, those of other patients that they began with included.

    Args:
        case: the patient.
        start: what RecM and RegM began with.
        of_levels, of_detection: what their training came to; detection may come from elsewhere.
        seed: of the training.
    """
    before = start.card
    metrics = {"RecM and RegM, one pass, mean TRE, mm": of_levels.best.score}
    if of_detection:
        metrics["detection, mean distance of landmarks, heat map px"] = of_detection.best.metrics["place"]
    trained = [of_levels, of_detection] if of_detection else [of_levels]
    own = TrainingData("simulated X-rays of the patient's CT", tuple(input_hashes(case).values()))
    return ModelCard(
        what=f"Networks that find {', '.join(case.levels)} of one patient",
        data=(*(before.data if before else ()), own),
        seeds=(*(before.seeds if before else ()), seed),
        steps=sum(outcome.steps for outcome in trained) + (before.steps if before else 0),
        minutes=sum(outcome.seconds for outcome in trained) / 60 + (before.minutes if before else 0.0),
        metrics=metrics,
        code_version=code_version(),
        created=datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        intended_use=INTENDED_USE,
        limits=LIMITS,
    )


def _origin(case: Case) -> dict[str, Any]:
    return {"stage": "P2", "levels": list(case.levels), "patient": dict(input_hashes(case))}


def _settings(minutes: float, batch: int, rate: float, seed: int, accelerator: Accelerator) -> Settings:
    return Settings(
        batch_size=batch,
        learning_rate=rate,
        validate_every=VALIDATE_EVERY,
        minutes=minutes,
        seed=seed,
        precision=quickest_precision(accelerator),
        accelerator=accelerator,
        sampling_threads=1,
    )
