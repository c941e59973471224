"""The node under load: minutes of X-rays at full rate with triggers, lifecycle loops, starts and ends of the process.

Nothing may be lost, fail or grow, and the X-rays must come at their rate; otherwise the exit code is 1.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch is imported, see radgs_core.cli
os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import math
import sys

import numpy as np

from benchmarks.bounds import Bounds, complaint
from benchmarks.example_case import REPORTED_LEVELS, example_case
from benchmarks.report import report
from benchmarks.ros_room import ros_room
from benchmarks.ros_xrays import xray_messages
from benchmarks.soak_loops import left_by_loops
from benchmarks.soak_shutdown import seconds_to_end
from benchmarks.soak_starts import left_by_starts
from benchmarks.soak_stream import Ending, Soaked, soaked
from radgs_core.commands.progress import shown_progress
from radgs_reg_ros.rig.footprint import SETTLED_MEMORY

MINUTES, LOOPS, STARTS, ENDS = 2.0, 100, 20, 6
STUDIES = 5
BOUNDS = {
    "pairs_per_s": Bounds(least=29),
    "lost_triggers": Bounds(most=0),
    "failed_triggers": Bounds(most=0),
    "growth_mb": Bounds(most=20),
    "growth_threads": Bounds(most=2),
    "growth_descriptors": Bounds(most=0),
    "growth_sockets": Bounds(most=0),
    "growth_shared_files": Bounds(most=0),
    "loops_growth_mb": Bounds(most=0.1),
    "loops_growth_threads": Bounds(most=2),
    "loops_growth_descriptors": Bounds(most=0),
    "loops_growth_sockets": Bounds(most=0),
    "loops_growth_shared_files": Bounds(most=0),
    "starts_left_files": Bounds(most=0),
    "starts_left_processes": Bounds(most=0),
    "shutdown_s": Bounds(most=2),
}
"""Rate: of the 30 pairs a second that are asked for.

Memory: of the loops, MB each; an image of the pair that each of them registers would be four. Threads: those of the
executor are made when they are first needed. Shutdown: what is promised of a node that registers. Levels may be
rejected: a verdict is a result.
"""


def main() -> int:
    """Run, report, and say what is out of bounds."""
    arguments = _parser().parse_args()
    case = example_case(REPORTED_LEVELS)
    with shown_progress("ray casting") as progress:
        xrays = xray_messages(case, STUDIES, progress)
    figures: dict[str, float] = {"minutes": arguments.minutes}
    with ros_room(case) as room, shown_progress("soak") as progress:
        room.activate(case)
        stream = soaked(room, xrays, arguments.minutes, progress)
    # for the processes that are started from here on; under a stream it would slow them, page fault by page fault
    os.environ.update(SETTLED_MEMORY)
    with ros_room(case) as room, shown_progress("lifecycle loops") as progress:
        left = left_by_loops(room, case, xrays, arguments.loops, progress)
    with shown_progress("ends while registering") as progress:
        shutdown_s = seconds_to_end(case, xrays, arguments.ends, progress)
    with shown_progress("starts") as progress:
        left_behind = left_by_starts(case, xrays, arguments.starts, progress)
    figures |= stream_figures(stream)
    figures |= {
        "loops": arguments.loops,
        "loops_growth_mb": left.memory_mb_per_loop,
        "loops_growth_threads": left.threads,
        "loops_growth_descriptors": left.descriptors,
        "loops_growth_sockets": left.sockets,
        "loops_growth_shared_files": left.shared_files,
        "starts": arguments.starts,
        "starts_left_files": left_behind.files,
        "starts_left_processes": left_behind.processes,
        "ends": arguments.ends,
        "shutdown_s": shutdown_s,
    }
    for trigger in stream.triggers:
        if trigger.ending in (Ending.FAILED, Ending.LOST):
            print(f"a trigger {trigger.ending.value}: {trigger.told}", file=sys.stderr)
    report("soak", figures)
    return complaint(figures, BOUNDS)


def stream_figures(stream: Soaked) -> dict[str, float]:
    """What is reported of the minutes of X-rays."""
    answers_s = [trigger.answer_s for trigger in stream.triggers if not math.isnan(trigger.answer_s)]
    return {
        "pairs_per_s": stream.rate_hz,
        "triggers": len(stream.triggers),
        "lost_triggers": stream.count(Ending.LOST),
        "failed_triggers": stream.count(Ending.FAILED),
        "rejected_triggers": stream.count(Ending.REJECTED),
        "answer_median_ms": 1000 * float(np.median(answers_s or [np.nan])),
        "answer_max_ms": 1000 * max(answers_s, default=np.nan),
        "memory_mb": stream.footprints[-1].memory_mb,
        "growth_mb": stream.growth("memory_mb"),
        "growth_threads": stream.growth("threads"),
        "growth_descriptors": stream.growth("descriptors"),
        "growth_sockets": stream.growth("sockets"),
        "growth_shared_files": stream.growth("shared_files"),
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    add = parser.add_argument
    add("--minutes", type=float, default=MINUTES, metavar="M", help=f"of X-rays (default: {MINUTES:g})")
    add("--loops", type=int, default=LOOPS, metavar="N", help=f"through the lifecycle (default: {LOOPS})")
    add("--starts", type=int, default=STARTS, metavar="N", help=f"of the process (default: {STARTS})")
    add("--ends", type=int, default=ENDS, metavar="N", help=f"of the process while it registers (default: {ENDS})")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
