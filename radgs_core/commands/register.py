"""radgs-reg register: where each vertebra is, from two X-rays, with a start or without."""

import argparse
import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from radgs_core.commands.arguments import STAGES, add_json, left_out, levels
from radgs_core.commands.progress import shown_progress
from radgs_core.errors import InputError

if TYPE_CHECKING:
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
    parser.add_argument(
        "--initial",
        type=Path,
        metavar="FILE",
        help="poses.json to start from (default: the networks of the case find the levels)",
    )
    parser.add_argument("--levels", type=levels, metavar="T12,L1", help="levels to report (default: all of the case)")
    parser.add_argument(
        "--without",
        type=left_out,
        default=[],
        metavar="STAGES",
        help=f"stages to leave out, for comparison: {', '.join(STAGES)}",
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="poses.json to write")
    parser.add_argument("--overlay", type=Path, metavar="DIR", help="folder to write both X-rays with outlines to")
    parser.add_argument(
        "--attention", type=Path, metavar="DIR", help="folder to write pictures of where RecM looked to"
    )
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Register, write and print; returns the exit code."""
    from radgs_core.case import Case
    from radgs_core.commands.registration_pictures import (
        attention_paths,
        overlay_paths,
        write_attention,
        write_overlays,
    )
    from radgs_core.commands.registration_report import print_result
    from radgs_core.io import read_geometry, read_poses, read_xray, write_poses
    from radgs_core.io.atomic import check_destination
    from radgs_core.registration.pipeline import SpineRegistration, Stages

    _check_options(arguments)
    overlays = overlay_paths(arguments.overlay)
    for path in (*([arguments.out] if arguments.out else []), *overlays.values()):
        check_destination(path)
    geometry = read_geometry(arguments.geometry)
    initial = None if arguments.initial is None else read_poses(arguments.initial)
    if initial is not None and initial.reference != geometry.reference:
        raise InputError(
            f"{arguments.initial} is in {initial.reference}, but {arguments.geometry} is in {geometry.reference};"
            " give both in the same frame."
        )
    files = {"ap": arguments.ap, "lateral": arguments.lateral}
    images = {view: read_xray(path, geometry.views[view]) for view, path in files.items()}
    case = Case.load(arguments.case)
    wanted = arguments.levels or list(case.levels)
    check_levels(wanted, initial, case, arguments)
    if initial is None and case.networks is None:
        raise InputError(
            f"the case {arguments.case} has no networks that find its levels; give a start pose of each with --initial"
            " poses.json, or prepare it again with radgs-reg prepare --minutes."
        )
    if arguments.attention is not None and case.networks is None:
        raise InputError(f"--attention shows where RecM looks, but {arguments.case} has no networks; leave it out.")
    attention = attention_paths(arguments.attention, wanted)
    for path in attention.values():
        check_destination(path)
    start = {level: pose.T_reference_ct for level, pose in initial.levels.items()} if initial else None
    with shown_progress("registering") as progress:
        registration = SpineRegistration(case, Stages(**dict.fromkeys(arguments.without, False)))
        named = _named_after_files(geometry, files)
        result = registration.register(images, named, start, wanted, progress)
        poses = poses_of(result)
        if arguments.out is not None:
            write_poses(arguments.out, poses)
        write_overlays(overlays, result.observations, case, poses, start or {})
        written = write_attention(attention, result.observations, case, result.learned)
    print_result(result, arguments.out, overlays, written, arguments.json)
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


def check_levels(wanted: list[str], initial: "Poses | None", case: "Case", arguments: argparse.Namespace) -> None:
    """Refuse levels that the case lacks, and a start that does not have them.

    Raises:
        InputError: names what ``arguments`` has in ``case`` and ``initial``.
    """
    given = initial.levels if initial else {}
    for level in (*wanted, *given):
        if level not in case.levels:
            name = f"--levels names {level}" if level in wanted else f"{arguments.initial} holds {level}"
            raise InputError(
                f"{name}, but the case {arguments.case} has only {', '.join(case.levels)}; leave it out or prepare it."
            )
    for level in wanted if initial else ():
        if level not in given:
            raise InputError(f"{arguments.initial} has no start pose of {level}; add it or leave the level out.")


def _check_options(arguments: argparse.Namespace) -> None:
    if arguments.initial is None and "detection" in arguments.without:
        raise InputError("--without detection leaves nothing to start from; give --initial poses.json as well.")
    if arguments.attention is not None and "learned" in arguments.without:
        raise InputError(
            "--attention shows where RecM looks, but the stage learned is left out; leave --attention out."
        )


def _named_after_files(geometry: "BiplanarGeometry", files: Mapping[str, Path]) -> "BiplanarGeometry":
    """The geometry, its cameras named after the images: what is wrong from here on is wrong with an image."""
    views = {view: dataclasses.replace(camera, name=str(files[view])) for view, camera in geometry.views.items()}
    return dataclasses.replace(geometry, views=views)
