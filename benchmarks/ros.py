"""What ROS costs: from the stamp of a pair to its frames on /tf beside the core's own time, and replay beside both.

Every pair is registered by registration_node in a process of its own; then the recording of it all is replayed offline.
The core's own time is that of the same registrations, from images in memory to a result, by the clock of the process
that makes them. A figure out of bounds is named, and the exit code is 1.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch is imported, see radgs_core.cli
os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from benchmarks.bounds import Bounds, complaint
from benchmarks.example_case import REPORTED_LEVELS, example_case
from benchmarks.report import report
from benchmarks.ros_live import LiveRun, live_run
from benchmarks.ros_replay import ReplayRun, replay_run
from benchmarks.ros_room import ros_room
from benchmarks.ros_xrays import xray_messages
from radgs_core.case import Case
from radgs_core.commands.progress import shown_progress

PAIRS, QUICK_PAIRS = 200, 8
STUDIES = 20
"""Different ones; they come round again."""
BOUNDS = {
    "overhead_ms": Bounds(most=30),
    "replay_max_difference": Bounds(most=1e-9),
    "replay_time_ratio": Bounds(least=0.9, most=1.1),
    "lost_triggers": Bounds(most=0),
}


def main() -> int:
    """Run, report, and say what is out of bounds."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ros", description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_PAIRS} pairs")
    parser.add_argument("--pairs", type=int, metavar="N", help=f"how many (default: {PAIRS})")
    arguments = parser.parse_args()
    pairs: int = arguments.pairs or (QUICK_PAIRS if arguments.quick else PAIRS)
    case = example_case(REPORTED_LEVELS)
    with shown_progress("ray casting") as progress:
        xrays = xray_messages(case, min(pairs, STUDIES), progress)
    with tempfile.TemporaryDirectory() as folder:
        live_bag, replayed_bag = Path(folder) / "live", Path(folder) / "replayed"
        with ros_room(case, auto_register=True) as room, shown_progress("live") as progress:
            case = Case.load(room.case_folder)  # what the node has loaded, to the last bit
            live = live_run(room, case, xrays, pairs, live_bag, progress)
        with shown_progress("replay") as progress:
            replay = replay_run(case, live_bag, replayed_bag, progress)
    figures = figures_of(live, replay)
    report("ros", figures)
    return complaint(figures, BOUNDS)


def figures_of(live: LiveRun, replay: ReplayRun) -> Mapping[str, float]:
    """What is reported of both runs; overheads are NaN when no pair got a frame."""
    core_s = [pair.core_s for pair in live.pairs]
    overheads_ms = live.overheads_ms or [np.nan]
    return {
        "pairs": len(live.pairs),
        "overhead_ms": float(np.median(overheads_ms)),
        "overhead_p95_ms": float(np.percentile(overheads_ms, 95)),
        "core_ms": 1000 * float(np.nanmedian(core_s)),
        "replay_max_difference": replay.largest_difference(live.poses),
        "replay_time_ratio": replay.seconds_a_pair / replay.core_seconds_a_pair,
        "lost_triggers": live.lost,
    }


if __name__ == "__main__":
    raise SystemExit(main())
