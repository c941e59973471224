"""Trains the networks that `benchmarks.accuracy` measures, one file in build/bench for each row that needs its own.

P2 is what ``radgs-reg prepare --minutes`` does; for the reported levels its networks come with the demo
(``make demo-weights``). P1 stands in for many patients with other vertebrae of the same CT (T2..T8), since no second
labelled CT comes with the example. P_full gets pairs of simulated X-rays whose physics training does not draw, in place
of real ones; their truth is not used. The rows without CAL, without RecM, and with RegM on voxels are trained as P2 is.
Detection, which all share, is that of P2.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch is imported, see radgs_core.cli
os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import dataclasses
import shutil
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from benchmarks.accuracy_networks import SHIPPED, networks_file, with_networks
from benchmarks.example_case import REPORTED_LEVELS, example_case
from benchmarks.report import FOLDER
from benchmarks.varied_studies import VariedStudies
from radgs_core.case import Case
from radgs_core.commands.messages import shown_messages
from radgs_core.commands.progress import shown_progress
from radgs_core.io.weights_file import read_weights
from radgs_core.networks import LevelNetworks, Networks
from radgs_core.progress import Progress
from radgs_core.reconstruction.presets import PRESETS as RECM_PRESETS
from radgs_core.registration.regm import PRESETS as REGM_PRESETS
from radgs_core.training.full_training import fully_trained
from radgs_core.training.patient_training import (
    LEVELS_SHARE,
    LevelStart,
    patient_card,
    patient_scenes,
    train_levels,
    trained_networks,
)
from radgs_core.training.prior_training import trained_prior
from radgs_core.training.scenes import PatientScenes
from radgs_core.training.seeded import seeded_weights
from radgs_core.training.xray_pairs import XrayPair

PRIOR_LEVELS, PRIOR_VALIDATION_LEVELS = (["T2", "T3", "T4"], ["T5", "T6"]), ["T7", "T8"]
PRIOR_MINUTES, PATIENT_MINUTES, FULL_MINUTES = 8.0, 20.0, 3.0
PAIRS, FIRST_PAIR_SEED = 12, 50_000


class Trainings:
    """Each way of training, for one patient.

    Args:
        case: the patient.
        minutes: of P2.
    """

    def __init__(self, case: Case, minutes: float) -> None:
        self._case, self._minutes = case, minutes
        self._folder = FOLDER / "training" / "_".join(case.levels)
        self._prior = FOLDER / "prior.safetensors"

    def p2(self, progress: Progress) -> None:
        """What a user gets of ``radgs-reg prepare --minutes``."""
        self._save(SHIPPED, trained_networks(self._case, self._minutes, self._work(SHIPPED), progress))

    def prior(self, progress: Progress) -> None:
        """RecM and RegM of other vertebrae (P1)."""
        training = [example_case(levels) for levels in PRIOR_LEVELS]
        validation = [example_case(PRIOR_VALIDATION_LEVELS)]
        trained = trained_prior(training, validation, PRIOR_MINUTES, self._work("prior"), progress)
        trained.networks.save(self._prior, trained.card)

    def p1(self, progress: Progress) -> None:
        """P1 alone."""
        networks, card = LevelNetworks.read(self._prior), read_weights(self._prior).card
        self._save("p1", dataclasses.replace(self._p2(), per_level=networks, card=card))

    def p1_p2(self, progress: Progress) -> None:
        """P2 that begins with P1."""
        self._save_levels("p1_p2", LevelStart.after(self._prior), progress)

    def full(self, progress: Progress) -> None:
        """P1+P2, adapted to pairs in place of real ones."""
        studies = VariedStudies(self._case)
        taken = [studies.taken(FIRST_PAIR_SEED + number) for number in range(PAIRS)]
        pairs = [XrayPair(f"seed {one.seed}", one.study.images, one.study.geometry) for one in taken]
        case = with_networks(self._case, "p1_p2")
        self._save("full", fully_trained(case, pairs, FULL_MINUTES, self._work("full"), progress))

    def no_cal(self, progress: Progress) -> None:
        """P2 without counterfactual attention."""
        self._save_levels("no_cal", _new(counterfactual=False), progress)

    def no_recm(self, progress: Progress) -> None:
        """P2 with a RegM on the images' code, without a reconstruction."""
        self._save_levels("no_recm", _new(regm="images"), progress)

    def untrained(self, progress: Progress) -> None:
        """No training: what matching and alignment come to where nothing has been learnt."""
        trained = self._p2()
        card = dataclasses.replace(trained.card, steps=0, minutes=0.0, metrics={})
        self._save("untrained", dataclasses.replace(trained, per_level=_new().networks, card=card))

    def voxels(self, progress: Progress) -> None:
        """P2 with a transformer on voxels as RegM."""
        self._save_levels("voxels", _new(regm="voxels"), progress)

    @cached_property
    def _scenes(self) -> PatientScenes:
        return patient_scenes(self._case, self._minutes, 0, lambda fraction, message: None)

    def _p2(self) -> Networks:
        return Networks.load(networks_file(SHIPPED, list(self._case.levels)))

    def _save_levels(self, name: str, start: LevelStart, progress: Progress) -> None:
        """Train RecM and RegM for as long as P2 does."""
        minutes = LEVELS_SHARE * self._minutes
        outcome = train_levels(self._case, self._scenes, start, minutes, self._work(name), progress)
        card = patient_card(self._case, start, outcome)
        self._save(name, dataclasses.replace(self._p2(), per_level=start.networks, card=card))

    def _work(self, name: str) -> Path:
        shutil.rmtree(self._folder / name, ignore_errors=True)
        return self._folder / name

    def _save(self, name: str, networks: Networks) -> None:
        file = networks_file(name, list(self._case.levels))
        networks.save(file)
        file.with_suffix(".md").write_text(networks.card.to_markdown())
        print(f"{file}: {networks.card.steps} steps, {networks.card.minutes:.1f} minutes", flush=True)


def _new(*, regm: str = "cpu", counterfactual: bool = True) -> LevelStart:
    recm = dataclasses.replace(RECM_PRESETS["cpu"], counterfactual=counterfactual)
    with seeded_weights(0):
        return LevelStart.new(LevelNetworks.new(recm, REGM_PRESETS[regm]))


REPORTED = ("prior", "p1", "p1_p2", "full", "no_cal", "no_recm", "untrained")
"""For rows that are reported, in the order in which they need each other."""
TRIED = (SHIPPED, "voxels")
"""What RegM was chosen by, on other levels."""
NAMES = (*TRIED, *REPORTED)


def train_all(case: Case, names: Iterable[str], minutes: float = PATIENT_MINUTES) -> None:
    """Train in the order in which they need each other; networks that are there already are replaced."""
    trainings, wanted = Trainings(case, minutes), set(names)
    with shown_messages():
        for name in (name for name in NAMES if name in wanted):
            with shown_progress(name) as progress:
                getattr(trainings, name)(progress)


def missing(case: Case) -> list[str]:
    """Trainings of rows that are reported whose networks are not there, P1 with them where one of them needs it."""
    found = [name for name in REPORTED[1:] if not networks_file(name, list(case.levels)).exists()]
    return [*(["prior"] if {"p1", "p1_p2"} & set(found) else []), *found]


def main() -> None:
    """Train what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy_training", description=__doc__)
    help_names = f"of {', '.join(NAMES)} (default: all but the first {len(TRIED)})"
    parser.add_argument("--only", nargs="+", choices=NAMES, default=REPORTED, metavar="NAME", help=help_names)
    parser.add_argument("--levels", nargs="+", default=REPORTED_LEVELS, metavar="L", help="(default: T9 .. L1)")
    parser.add_argument("--minutes", type=float, default=PATIENT_MINUTES, metavar="M", help="of P2 (default: 20)")
    arguments = parser.parse_args()
    if SHIPPED in arguments.only and arguments.levels == REPORTED_LEVELS:
        parser.error("networks of P2 for the reported levels come with the demo; make them with make demo-weights.")
    train_all(example_case(arguments.levels), arguments.only, arguments.minutes)


if __name__ == "__main__":
    main()
