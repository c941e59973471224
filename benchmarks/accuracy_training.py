"""Trains the networks that `benchmarks.accuracy` measures, one file in build/bench for each row that needs its own.

P2 is what ``radgs-reg prepare --minutes`` does. P1 stands in for many patients with other vertebrae of the same CT
(T2..T8), since no second labelled CT comes with the example. P_full gets pairs of simulated X-rays whose physics
training does not draw, in place of real ones; their truth is not used. The rows without CAL and without RecM are trained
as P2 is, from the same P1. RegM on voxels is trained as P2 is, to be compared with P2 on levels that are not reported.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch is imported, see radgs_core.cli
os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import dataclasses
import shutil
from pathlib import Path

from benchmarks.accuracy_networks import networks_file, with_networks
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
from radgs_core.training.patient_training import LEVELS_SHARE, patient_scenes, train_levels, trained_networks
from radgs_core.training.prior_training import trained_prior
from radgs_core.training.seeded import seeded_weights
from radgs_core.training.xray_pairs import XrayPair

PRIOR_LEVELS, PRIOR_VALIDATION_LEVELS = (["T2", "T3", "T4"], ["T5", "T6"]), ["T7", "T8"]
PRIOR_MINUTES, PATIENT_MINUTES, FULL_MINUTES = 10.0, 20.0, 4.0
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

    def prior(self, progress: Progress) -> None:
        """RecM and RegM of other vertebrae (P1)."""
        training = [example_case(levels) for levels in PRIOR_LEVELS]
        validation = [example_case(PRIOR_VALIDATION_LEVELS)]
        trained = trained_prior(training, validation, PRIOR_MINUTES, self._work("prior"), progress)
        trained.networks.save(self._prior, trained.card)

    def p2(self, progress: Progress) -> None:
        """What a user gets of ``radgs-reg prepare --minutes``."""
        self._save("p2", trained_networks(self._case, self._minutes, self._work("p2"), progress))

    def p1_p2(self, progress: Progress) -> None:
        """What a user gets of ``radgs-reg prepare --minutes --weights``."""
        work = self._work("p1_p2")
        self._save("p1_p2", trained_networks(self._case, self._minutes, work, progress, prior=self._prior))

    def p1(self, progress: Progress) -> None:
        """P1 alone; the detection, which is of one patient, is that of P1+P2."""
        prior = read_weights(self._prior)
        whole = self._trained("p1_p2")
        self._save("p1", dataclasses.replace(whole, per_level=LevelNetworks.read(self._prior), card=prior.card))

    def full(self, progress: Progress) -> None:
        """P1+P2, adapted to pairs in place of real ones."""
        studies = VariedStudies(self._case)
        taken = [studies.taken(FIRST_PAIR_SEED + number) for number in range(PAIRS)]
        pairs = [XrayPair(f"seed {one.seed}", one.study.images, one.study.geometry) for one in taken]
        case = with_networks(self._case, "p1_p2")
        self._save("full", fully_trained(case, pairs, FULL_MINUTES, self._work("full"), progress))

    def no_cal(self, progress: Progress) -> None:
        """P1+P2 without counterfactual attention."""
        networks = LevelNetworks.read(self._prior)
        networks.recm.preset = dataclasses.replace(networks.recm.preset, counterfactual=False)
        self._save("no_cal", self._levels("p1_p2", networks, "no_cal", progress))

    def no_recm(self, progress: Progress) -> None:
        """RegM on the images' code, with P1's encoders and without a reconstruction."""
        recm = LevelNetworks.read(self._prior).recm
        with seeded_weights(0):
            regm = REGM_PRESETS["images"].network(recm.preset.code)
        networks = LevelNetworks(recm, regm, REGM_PRESETS["images"])
        self._save("no_recm", self._levels("p1_p2", networks, "no_recm", progress))

    def voxels(self, progress: Progress) -> None:
        """P2 with a transformer on voxels as RegM."""
        with seeded_weights(0):
            networks = LevelNetworks.new(RECM_PRESETS["cpu"], REGM_PRESETS["voxels"])
        self._save("voxels", self._levels("p2", networks, "voxels", progress))

    def _trained(self, name: str) -> Networks:
        return Networks.load(networks_file(name, list(self._case.levels)))

    def _levels(self, like: str, networks: LevelNetworks, name: str, progress: Progress) -> Networks:
        """P2 of RecM and RegM only, for as long as in the training ``like``, whose detection is used."""
        whole = self._trained(like)
        scenes = patient_scenes(self._case, self._minutes, 0, lambda fraction, message: None)
        train_levels(self._case, scenes, networks, LEVELS_SHARE * self._minutes, self._work(name), progress)
        return dataclasses.replace(whole, per_level=networks)

    def _work(self, name: str) -> Path:
        shutil.rmtree(self._folder / name, ignore_errors=True)
        return self._folder / name

    def _save(self, name: str, networks: Networks) -> None:
        file = networks_file(name, list(self._case.levels))
        networks.save(file)
        file.with_suffix(".md").write_text(networks.card.to_markdown())
        print(f"{file}: {networks.card.steps} steps, {networks.card.minutes:.1f} minutes", flush=True)


NAMES = ("prior", "p1_p2", "p1", "full", "no_cal", "no_recm")
"""For the reported rows, in the order in which they need each other; P2 alone comes with the demo."""
OTHERS = ("p2", "voxels")
"""What RegM was chosen by."""


def main() -> None:
    """Train what is asked for; networks that are there already are replaced."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy_training", description=__doc__)
    names = (*OTHERS, *NAMES)
    help_names = f"of {', '.join(names)} (default: all but the first {len(OTHERS)})"
    parser.add_argument("--only", nargs="+", choices=names, default=NAMES, metavar="NAME", help=help_names)
    parser.add_argument("--levels", nargs="+", default=REPORTED_LEVELS, metavar="L", help="(default: T9 .. L1)")
    parser.add_argument("--minutes", type=float, default=PATIENT_MINUTES, metavar="M", help="of P2 (default: 20)")
    arguments = parser.parse_args()
    trainings = Trainings(example_case(arguments.levels), arguments.minutes)
    with shown_messages():
        for name in (name for name in names if name in arguments.only):
            with shown_progress(name) as progress:
                getattr(trainings, name)(progress)


if __name__ == "__main__":
    main()
