"""radgs-reg prepare: a case from a CT and its label map, with networks of this patient where there is time for them."""

import argparse
import dataclasses
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from radgs_core.commands.arguments import add_json, levels, not_negative, seed
from radgs_core.commands.output import print_json
from radgs_core.commands.progress import shown_progress
from radgs_core.errors import InputError
from radgs_core.progress import Progress

if TYPE_CHECKING:
    from radgs_core.case import Case
    from radgs_core.networks import Networks


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("prepare", help="make a case from a CT and its label map", description=__doc__)
    parser.add_argument("ct", type=Path, metavar="CT", help="folder of a DICOM series, or NIfTI file")
    parser.add_argument("labels", type=Path, metavar="LABELS", help="NIfTI label map on the CT's grid")
    parser.add_argument("--levels", type=levels, required=True, metavar="T12,L1", help="vertebrae to prepare")
    parser.add_argument("--out", type=Path, required=True, metavar="CASE", help="folder to write")
    parser.add_argument(
        "--label-scheme",
        default="auto",
        metavar="auto|totalsegmentator|verse|FILE",
        help="numbering of the label map; FILE is YAML with lines such as 'L1: 20' (default: auto)",
    )
    parser.add_argument(
        "--minutes",
        type=not_negative,
        default=0.0,
        metavar="M",
        help="after the rest, train networks that find the levels so long (default: 0, none; a start is then needed)",
    )
    parser.add_argument(
        "--device", choices=("auto", "cpu", "cuda"), default="auto", help="where to train (default: CUDA if there is)"
    )
    parser.add_argument("--weights", type=Path, metavar="FILE", help="weights of RecM and RegM to begin training with")
    parser.add_argument("--seed", type=seed, default=0, metavar="N", help="of the training (default: 0)")
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Prepare, train and save; returns the exit code."""
    from radgs_core.case_folder import check_destination

    began = time.monotonic()
    check_destination(arguments.out)
    _check_training(arguments)
    with shown_progress("preparing") as progress:
        case = prepared(arguments.ct, arguments.labels, arguments.levels, arguments.label_scheme, progress)
    if arguments.minutes:
        case = dataclasses.replace(case, networks=_trained(case, arguments))
    case.save(arguments.out)
    if arguments.minutes:
        _forget_checkpoints(training_folder(arguments.out))
    _print_result(case, arguments.out, time.monotonic() - began, arguments.json)
    return 0


def training_folder(case: Path) -> Path:
    """Where the training of a case's networks keeps checkpoints, while it goes on, and its curves."""
    case = case.absolute()
    return case.with_name(f"{case.name}.training")


def prepared(ct_path: Path, labels_path: Path, wanted: list[str], label_scheme: str, progress: Progress) -> "Case":
    """Read CT and label map and prepare the wanted levels.

    Raises:
        InputError: what ``read_ct``, ``read_labels`` or ``prepare_case`` refuse.
    """
    from radgs_core.io import read_ct, read_labels
    from radgs_core.preparation import prepare_case, provenance

    ct = read_ct(ct_path)
    labels = read_labels(labels_path, ct, label_scheme)
    inputs = {"ct": ct_path, "labels": labels_path}
    if Path(label_scheme).is_file() and labels.scheme == label_scheme:
        inputs["label_scheme"] = Path(label_scheme)
    parameters = {"levels": wanted, "label_scheme": Path(labels.scheme).name}
    try:
        return prepare_case(ct, labels, wanted, progress, provenance(inputs, parameters))
    except InputError as error:  # it knows the volume, not the file
        raise InputError(f"{labels_path}: {error}") from error


def _check_training(arguments: argparse.Namespace) -> None:
    """Refuse what training would refuse, before minutes of preparation."""
    if not arguments.minutes:
        if arguments.weights is not None:
            raise InputError(f"--weights {arguments.weights} is to begin a training with; give --minutes as well.")
        return
    import torch

    from radgs_core.io.atomic import check_destination
    from radgs_core.networks import LevelNetworks

    check_destination(training_folder(arguments.out) / "curves")
    if arguments.weights is not None:
        LevelNetworks.read(arguments.weights)
    if arguments.device == "cuda" and not torch.cuda.is_available():
        raise InputError("there is no CUDA device that torch can use; choose --device cpu or auto.")


def _trained(case: "Case", arguments: argparse.Namespace) -> "Networks":
    from radgs_core.training.patient_training import trained_networks

    folder = training_folder(arguments.out)
    try:
        with shown_progress("training") as progress:
            return trained_networks(
                case,
                arguments.minutes,
                folder,
                progress,
                seed=arguments.seed,
                accelerator=arguments.device,
                prior=arguments.weights,
            )
    except KeyboardInterrupt:
        print(f"The training so far is in {folder}; the same command goes on from there.", file=sys.stderr)
        raise


def _forget_checkpoints(folder: Path) -> None:
    """Of a training that has ended; its curves stay."""
    for checkpoint in folder.glob("*/checkpoint.pt"):
        checkpoint.unlink()


def _print_result(case: "Case", out: Path, seconds: float, as_json: bool) -> None:
    gaussians = {level: len(vertebra.gaussians.means_mm) for level, vertebra in case.levels.items()}
    card = None if case.networks is None else case.networks.card
    if as_json:
        networks = None if card is None else {"steps": card.steps, "minutes": card.minutes, "metrics": card.metrics}
        print_json(
            {
                "case": str(out),
                "levels": list(case.levels),
                "gaussians": gaussians,
                "label_scheme": case.provenance["parameters"]["label_scheme"],
                "networks": networks,
                "seconds": seconds,
            }
        )
        return
    print(f"{out}: {', '.join(case.levels)} prepared, {sum(gaussians.values())} Gaussians, {seconds:.0f} s")
    if card is not None:
        print(f"networks: {card.steps} steps in {card.minutes:.1f} minutes")
        for name, value in card.metrics.items():
            print(f"  {name}: {value:.3g}")
