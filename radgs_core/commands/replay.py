"""radgs-reg replay: every pair of X-rays of a recording registered as the live node would, without ROS."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from radgs_core.commands.arguments import add_json, frame, frame_prefix, levels, up_to
from radgs_core.commands.progress import shown_progress
from radgs_core.commands.register import LEVEL_REJECTED, check_levels
from radgs_core.errors import InputError

if TYPE_CHECKING:
    from radgs_core.io import Poses
    from radgs_core.replay.settings import ReplaySettings

LARGEST_SLOP_S = 60.0
LARGEST_AGE_S = 86400.0


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("replay", help="register every pair of X-rays in a rosbag2", description=__doc__)
    parser.add_argument("bag", type=Path, metavar="BAG", help="recording: rosbag2 folder, .mcap or .db3 file")
    parser.add_argument("case", type=Path, metavar="CASE", help="folder made by radgs-reg prepare")
    parser.add_argument("--out", type=Path, required=True, metavar="BAG2", help="rosbag2 folder to write")
    parser.add_argument("--levels", type=levels, metavar="T12,L1", help="levels to report (default: all of the case)")
    parser.add_argument(
        "--namespace", default="", metavar="NS", help="that ap/image and the others were recorded in (default: none)"
    )
    parser.add_argument(
        "--reference", type=frame, default="carm_base", metavar="FRAME", help="frame of the poses (default: carm_base)"
    )
    parser.add_argument(
        "--frame-prefix",
        type=frame_prefix,
        default="",
        metavar="PREFIX",
        help="put before the names of the vertebra frames, such as left/ (default: none)",
    )
    parser.add_argument(
        "--sync-mode",
        choices=("approximate", "latest"),
        default="approximate",
        help="which images are a pair: stamps within --sync-slop, or the latest of each view (default: approximate)",
    )
    parser.add_argument(
        "--sync-slop",
        type=up_to(LARGEST_SLOP_S),
        default=0.02,
        metavar="S",
        help="largest difference of the stamps of a pair in approximate, seconds (default: 0.02)",
    )
    parser.add_argument(
        "--sync-max-age",
        type=up_to(LARGEST_AGE_S),
        default=600.0,
        metavar="S",
        help="largest difference of the stamps of a pair in latest, seconds (default: 600)",
    )
    parser.add_argument(
        "--intensity",
        choices=("transmission", "attenuation"),
        default="transmission",
        help="what pixels mean: counts, air bright, or line integrals, bone bright (default: transmission)",
    )
    parser.add_argument(
        "--image-transport",
        choices=("raw", "compressed"),
        default="raw",
        help="which images are read: ap/image, or PNG on ap/image/compressed (default: raw)",
    )
    parser.add_argument(
        "--initial",
        type=Path,
        metavar="FILE",
        help="poses.json to start from (default: what is on initialpose, or the networks of the case)",
    )
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Replay, write and print; returns the exit code."""
    from radgs_core.case import Case
    from radgs_core.commands.replay_report import print_outcomes
    from radgs_core.io import read_poses
    from radgs_core.io.atomic import check_destination
    from radgs_core.io.bag_reader import opened_bag
    from radgs_core.io.bag_writer import NOTE, written_bag
    from radgs_core.messages.recorded_messages import RecordedMessages
    from radgs_core.registration.pipeline import SpineRegistration
    from radgs_core.replay.replay import Replay

    if arguments.bag.resolve().is_relative_to(arguments.out.resolve()):
        raise InputError(f"--out {arguments.out} is or holds the recording itself; choose another output path.")
    check_destination(arguments.out, replaces_folder_with=NOTE)
    initial = None if arguments.initial is None else read_poses(arguments.initial)
    with opened_bag(arguments.bag) as bag:
        case = Case.load(arguments.case)
        wanted = arguments.levels or list(case.levels)
        check_levels(wanted, initial, case, arguments)
        settings = _settings(arguments, wanted, initial)
        replay = Replay(bag, case, SpineRegistration(case), settings)
        with (
            shown_progress("replaying") as progress,
            written_bag(arguments.out, bag.storage, RecordedMessages().types, _note(arguments, wanted)) as writer,
        ):
            outcomes = replay.run(writer, progress)
    print_outcomes(outcomes, replay.left_out, arguments.out, arguments.json)
    complete = not replay.left_out and all(outcome.all_registered for outcome in outcomes)
    return 0 if complete else LEVEL_REJECTED


def _settings(arguments: argparse.Namespace, wanted: list[str], initial: "Poses | None") -> "ReplaySettings":
    from radgs_core.replay.settings import ReplaySettings

    if initial is not None and initial.reference != arguments.reference:
        raise InputError(
            f"{arguments.initial} is in {initial.reference}, but --reference is {arguments.reference}; give both in the"
            " same frame."
        )
    return ReplaySettings(
        levels=wanted,
        namespace=arguments.namespace,
        reference=arguments.reference,
        frame_prefix=arguments.frame_prefix,
        intensity=arguments.intensity,
        sync_mode=arguments.sync_mode,
        sync_slop_s=arguments.sync_slop,
        sync_max_age_s=arguments.sync_max_age,
        image_transport=arguments.image_transport,
        initial=None if initial is None else {label: pose.T_reference_ct for label, pose in initial.levels.items()},
    )


def _note(arguments: argparse.Namespace, wanted: list[str]) -> dict[str, Any]:
    """What BAG2 was made from; no times, so that the same input gives the same folder."""
    from radgs_core.io.code_version import code_version

    return {
        "made_by": f"radgs-reg replay, radgs-core {code_version()}",
        "bag": arguments.bag.resolve().name,
        "case": arguments.case.resolve().name,
        "levels": wanted,
        "namespace": arguments.namespace,
        "reference": arguments.reference,
        "frame_prefix": arguments.frame_prefix,
        "intensity": arguments.intensity,
        "sync_mode": arguments.sync_mode,
        "sync_slop_s": arguments.sync_slop,
        "sync_max_age_s": arguments.sync_max_age,
        "image_transport": arguments.image_transport,
        "initial": None if arguments.initial is None else arguments.initial.name,
    }
