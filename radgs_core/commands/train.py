"""radgs-reg train: weights for many patients (P1), or networks of one patient adapted to real X-rays (P_full)."""

import argparse
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from radgs_core.commands.arguments import above_zero, add_json, seed, share
from radgs_core.commands.output import print_json
from radgs_core.commands.progress import shown_progress
from radgs_core.errors import InputError
from radgs_core.progress import Progress

if TYPE_CHECKING:
    from radgs_core.io.model_card import ModelCard
    from radgs_core.training.processes import Process

WEIGHTS_SUFFIX = ".safetensors"


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "train", help="train networks: of many patients, or on real X-rays", description=__doc__
    )
    stages = parser.add_subparsers(title="stages", metavar="STAGE", required=True)
    prior = stages.add_parser("prior", help="P1: weights of RecM and RegM from labelled CTs of many patients")
    prior.add_argument("data", type=Path, metavar="DATA", help="folder of labelled CTs; see docs/training.md")
    prior.add_argument("--out", type=Path, required=True, metavar="FILE.safetensors", help="weights to write")
    prior.add_argument(
        "--validation-share", type=share, default=0.2, metavar="S", help="of the patients (default: 0.2)"
    )
    prior.add_argument("--preset", choices=("cpu", "paper"), default="cpu", help="size of the networks (default: cpu)")
    prior.set_defaults(run=run_prior)
    full = stages.add_parser("full", help="P_full: adapt the networks of a case to X-ray pairs of unknown pose")
    full.add_argument("case", type=Path, metavar="CASE", help="folder made by radgs-reg prepare --minutes")
    full.add_argument(
        "studies", type=Path, nargs="+", metavar="STUDY", help="folder with ap and lateral image and geometry.yaml"
    )
    full.add_argument("--out", type=Path, required=True, metavar="CASE", help="folder to write; may be the same")
    full.set_defaults(run=run_full)
    for stage in (prior, full):
        stage.add_argument(
            "--minutes",
            type=above_zero,
            required=True,
            metavar="M",
            help="of training; what is prepared before is extra",
        )
        stage.add_argument("--seed", type=seed, default=0, metavar="N", help="of the training (default: 0)")
        stage.add_argument(
            "--device", choices=("auto", "cpu", "cuda"), default="auto", help="(default: CUDA if there is)"
        )
        stage.add_argument(
            "--work", type=Path, metavar="FOLDER", help="for checkpoints and curves (default: OUT.training)"
        )
        add_json(stage)


def run_prior(arguments: argparse.Namespace) -> int:
    """Prepare the patients, train and save; returns the exit code."""
    from radgs_core.io.atomic import check_destination
    from radgs_core.training.prior_cases import prior_cases
    from radgs_core.training.prior_training import trained_prior
    from radgs_core.training.processes import this_process

    if arguments.out.suffix != WEIGHTS_SUFFIX:
        raise InputError(f"{arguments.out} does not end in {WEIGHTS_SUFFIX}; choose another output path.")
    check_destination(arguments.out)
    process, work = this_process(), _work(arguments)
    with _training(process, work):
        with _progress("preparing", process) as progress:
            cases = prior_cases(
                arguments.data, work / "cases", arguments.validation_share, arguments.seed, process, progress
            )
        with _progress("training", process) as progress:
            trained = trained_prior(
                cases.training,
                cases.validation,
                arguments.minutes,
                work / "prior",
                progress,
                seed=arguments.seed,
                accelerator=arguments.device,
                preset=arguments.preset,
            )
    _finish(arguments, process, trained.card, lambda: trained.networks.save(arguments.out, trained.card))
    return 0


def run_full(arguments: argparse.Namespace) -> int:
    """Adapt and save; returns the exit code."""
    import dataclasses

    from radgs_core.case import Case
    from radgs_core.case_folder import check_destination
    from radgs_core.training.full_training import fully_trained
    from radgs_core.training.processes import this_process
    from radgs_core.training.xray_pairs import read_pair

    check_destination(arguments.out)
    process, work = this_process(), _work(arguments)
    case = Case.load(arguments.case)
    if case.networks is None:
        raise InputError(f"{arguments.case} has no networks to train on; prepare it with radgs-reg prepare --minutes.")
    pairs = [read_pair(folder) for folder in arguments.studies]
    with _training(process, work), _progress("training", process) as progress:
        networks = fully_trained(
            case,
            pairs,
            arguments.minutes,
            work / "full",
            progress,
            seed=arguments.seed,
            accelerator=arguments.device,
        )
    _finish(arguments, process, networks.card, lambda: dataclasses.replace(case, networks=networks).save(arguments.out))
    return 0


def _work(arguments: argparse.Namespace) -> Path:
    from radgs_core.io.atomic import check_destination

    out: Path = arguments.out.absolute()
    work: Path = arguments.work or out.with_name(f"{out.name}.training")
    check_destination(work / "curves.csv")
    return work


@contextmanager
def _training(process: "Process", work: Path) -> Iterator[None]:
    """Only the first of several processes tells the user anything, and where to go on after Ctrl-C."""
    previous = logging.root.manager.disable
    if not process.is_first:
        logging.disable(logging.WARNING)
    try:
        yield
    except KeyboardInterrupt:
        if process.is_first:
            print(f"The training so far is in {work}; the same command goes on from there.", file=sys.stderr)
        raise
    finally:
        logging.disable(previous)


@contextmanager
def _progress(title: str, process: "Process") -> Iterator[Progress]:
    if process.is_first:
        with shown_progress(title) as progress:
            yield progress
    else:
        yield lambda fraction, message: None


def _finish(arguments: argparse.Namespace, process: "Process", card: "ModelCard", save: Callable[[], None]) -> None:
    """Write the results and their model card, and say so; in the first process."""
    from radgs_core.io.atomic import written_atomically

    if not process.is_first:
        return
    save()
    page = arguments.out.absolute().with_name(f"{arguments.out.name}.md")
    with written_atomically(page) as path:
        path.write_text(card.to_markdown())
    if arguments.json:
        print_json(
            {
                "out": str(arguments.out),
                "card": str(page),
                "steps": card.steps,
                "minutes": card.minutes,
                "metrics": card.metrics,
            }
        )
        return
    print(f"{arguments.out}: {card.steps} steps in {card.minutes:.1f} minutes; card: {page}")
    for name, value in card.metrics.items():
        print(f"  {name}: {value:.3g}")
