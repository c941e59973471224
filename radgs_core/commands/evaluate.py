"""radgs-reg evaluate: target registration errors and verdicts against the true poses."""

import argparse
import dataclasses
from pathlib import Path

from radgs_core.commands.arguments import add_json
from radgs_core.commands.output import print_json, print_table
from radgs_core.errors import InputError


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("evaluate", help="compare poses with the truth", description=__doc__)
    parser.add_argument("case", type=Path, metavar="CASE", help="folder made by radgs-reg prepare")
    parser.add_argument("--poses", type=Path, required=True, metavar="FILE", help="poses.json as registered")
    parser.add_argument("--truth", type=Path, required=True, metavar="FILE", help="truth.json of the study")
    parser.add_argument(
        "--geometry", type=Path, metavar="FILE", help="geometry.yaml: adds the errors along each view's depth axis"
    )
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Evaluate and print; returns the exit code."""
    from radgs_core.case import Case
    from radgs_core.evaluation import evaluate, summarise
    from radgs_core.evaluation.tables import level_table, summary_table
    from radgs_core.io import read_geometry, read_poses

    poses, truth = read_poses(arguments.poses), read_poses(arguments.truth)
    geometry = None if arguments.geometry is None else read_geometry(arguments.geometry)
    case = Case.load(arguments.case)
    try:
        errors = evaluate(case, poses, truth, geometry)
    except InputError as error:  # it knows poses, not files
        raise InputError(f"{arguments.poses}: {error}") from error
    summary = summarise(errors)
    if arguments.json:
        levels = {error.label: dataclasses.asdict(error) for error in errors}
        print_json({"levels": levels, "summary": dataclasses.asdict(summary)})
    else:
        print_table(level_table(errors))
        print_table(summary_table({"": summary}))
    return 0
