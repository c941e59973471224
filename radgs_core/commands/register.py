"""radgs-reg register: where each vertebra is, from two X-rays and a start."""

import argparse
import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from radgs_core.commands.arguments import add_json, levels
from radgs_core.commands.output import print_json, print_table
from radgs_core.commands.progress import shown_progress
from radgs_core.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from radgs_core.case import Case
    from radgs_core.geometry.camera import BiplanarGeometry
    from radgs_core.io import Poses
    from radgs_core.registration.result import RegistrationResult

LEVEL_REJECTED = 3


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("register", help="find the vertebrae of a case in two X-rays", description=__doc__)
    parser.add_argument("case", type=Path, metavar="CASE", help="folder made by radgs-reg prepare")
    image_help = "X-ray: 8- or 16-bit PNG or TIFF, .npy or DICOM"
    parser.add_argument("--ap", type=Path, required=True, metavar="FILE", help=image_help)
    parser.add_argument("--lateral", type=Path, required=True, metavar="FILE", help=image_help)
    parser.add_argument("--geometry", type=Path, required=True, metavar="FILE", help="geometry.yaml of both views")
    parser.add_argument("--initial", type=Path, metavar="FILE", help="poses.json to start from")
    parser.add_argument("--levels", type=levels, metavar="T12,L1", help="levels to report (default: all of the case)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="poses.json to write")
    parser.add_argument("--overlay", type=Path, metavar="DIR", help="folder to write both X-rays with outlines to")
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Register, write and print; returns the exit code."""
    from radgs_core.case import Case
    from radgs_core.io import read_geometry, read_poses, read_xray, write_poses
    from radgs_core.io.atomic import check_destination
    from radgs_core.registration.pipeline import register

    if arguments.initial is None:
        raise InputError("register needs a start pose of each level; give --initial poses.json.")
    overlays = {} if arguments.overlay is None else {v: overlay_path(arguments.overlay, v) for v in ("ap", "lateral")}
    for path in (*([arguments.out] if arguments.out else []), *overlays.values()):
        check_destination(path)
    geometry = read_geometry(arguments.geometry)
    initial = read_poses(arguments.initial)
    if initial.reference != geometry.reference:
        raise InputError(
            f"{arguments.initial} is in {initial.reference}, but {arguments.geometry} is in {geometry.reference};"
            " give both in the same frame."
        )
    files = {"ap": arguments.ap, "lateral": arguments.lateral}
    images = {view: read_xray(path, geometry.views[view]) for view, path in files.items()}
    case = Case.load(arguments.case)
    wanted = arguments.levels or list(case.levels)
    _check_levels(wanted, initial, case, arguments)
    start = {level: pose.T_reference_ct for level, pose in initial.levels.items()}
    with shown_progress("registering") as progress:
        result = register(case, images, _named_after_files(geometry, files), start, wanted, progress)
        poses = poses_of(result)
        if arguments.out is not None:
            write_poses(arguments.out, poses)
        for view, path in overlays.items():
            _write_overlay(path, images[view], geometry, view, case, poses, start)
    _print_result(result, arguments.out, overlays, arguments.json)
    return 0 if result.all_registered else LEVEL_REJECTED


def poses_of(result: "RegistrationResult") -> "Poses":
    """What of a result goes into a poses.json."""
    from radgs_core.io import LevelPose, Poses

    return Poses(
        result.reference,
        {
            label: LevelPose(level.T_reference_ct, level.status, level.reason, level.expected_tre_mm)
            for label, level in result.levels.items()
        },
    )


def overlay_path(folder: Path, view: str) -> Path:
    """Where the overlay of a view goes: never over ``ap.png`` of a study."""
    return folder / f"overlay_{view}.png"


def _check_levels(wanted: list[str], initial: "Poses", case: "Case", arguments: argparse.Namespace) -> None:
    for level in (*wanted, *initial.levels):
        if level not in case.levels:
            name = f"--levels names {level}" if level in wanted else f"{arguments.initial} holds {level}"
            raise InputError(
                f"{name}, but the case {arguments.case} has only {', '.join(case.levels)}; leave it out or prepare it."
            )
    for level in wanted:
        if level not in initial.levels:
            raise InputError(f"{arguments.initial} has no start pose of {level}; add it or leave the level out.")


def _named_after_files(geometry: "BiplanarGeometry", files: Mapping[str, Path]) -> "BiplanarGeometry":
    """The geometry, its cameras named after the images: what is wrong from here on is wrong with an image."""
    views = {view: dataclasses.replace(camera, name=str(files[view])) for view, camera in geometry.views.items()}
    return dataclasses.replace(geometry, views=views)


def _write_overlay(
    path: Path,
    image: "NDArray[np.float32]",
    geometry: "BiplanarGeometry",
    view: str,
    case: "Case",
    poses: "Poses",
    start: Mapping[str, "NDArray[np.float64]"],
) -> None:
    """Start poses dashed; of the results those that may be used."""
    import cv2

    from radgs_core.io import written_atomically
    from radgs_core.registration.pipeline import draw_overlay

    after = {level: pose.T_reference_ct for level, pose in poses.levels.items() if pose.status == "registered"}
    before = {level: start[level] for level in poses.levels}
    picture = draw_overlay(image, geometry.views[view], case, after, before)
    with written_atomically(path) as temporary:
        if not cv2.imwrite(str(temporary), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)):
            raise OSError(None, "OpenCV could not write it")


def _print_result(result: "RegistrationResult", out: Path | None, overlays: Mapping[str, Path], as_json: bool) -> None:
    from rich.table import Table

    if as_json:
        levels_json = {
            label: {
                "status": level.status,
                "reason": level.reason,
                "T_reference_ct": level.T_reference_ct.tolist(),
                "expected_tre_mm": level.expected_tre_mm,
                "converged": level.converged,
                "iterations": level.iterations,
                "similarity": dict(level.similarity),
            }
            for label, level in result.levels.items()
        }
        print_json(
            {
                "reference": result.reference,
                "levels": levels_json,
                "T_reference_body": result.T_reference_body.tolist(),
                "seconds": result.seconds,
                "poses": None if out is None else str(out),
                "overlays": {view: str(path) for view, path in overlays.items()},
            }
        )
        return
    table = Table(title=f"Registered in {result.seconds:.1f} s, reference {result.reference}")
    for name in ("level", "verdict", "origin of the CT, mm", "expected error, mm", "similarity", "reason"):
        table.add_column(name)
    for label, level in result.levels.items():
        table.add_row(
            label,
            level.status,
            " ".join(f"{x:.2f}" for x in level.T_reference_ct[:3, 3]),
            f"{level.expected_tre_mm:.2f}",
            ", ".join(f"{view} {value:.2f}" for view, value in level.similarity.items()),
            level.reason,
        )
    print_table(table)
    for path in (*([out] if out else []), *overlays.values()):
        print(path)
