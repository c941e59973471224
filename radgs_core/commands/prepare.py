"""radgs-reg prepare: a case from a CT and its label map."""

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

from radgs_core.commands.arguments import add_json, levels
from radgs_core.commands.output import print_json
from radgs_core.commands.progress import shown_progress
from radgs_core.errors import InputError
from radgs_core.progress import Progress

if TYPE_CHECKING:
    from radgs_core.case import Case


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
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Prepare and save; returns the exit code."""
    from radgs_core.case_folder import check_destination

    began = time.monotonic()
    check_destination(arguments.out)
    with shown_progress("preparing") as progress:
        case = prepared(arguments.ct, arguments.labels, arguments.levels, arguments.label_scheme, progress)
        case.save(arguments.out)
    gaussians = {level: len(vertebra.gaussians.means_mm) for level, vertebra in case.levels.items()}
    seconds = time.monotonic() - began
    if arguments.json:
        print_json(
            {
                "case": str(arguments.out),
                "levels": list(case.levels),
                "gaussians": gaussians,
                "label_scheme": case.provenance["parameters"]["label_scheme"],
                "seconds": seconds,
            }
        )
    else:
        print(
            f"{arguments.out}: {', '.join(case.levels)} prepared, {sum(gaussians.values())} Gaussians, {seconds:.0f} s"
        )
    return 0


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
