"""What is left of processes that were started, registered a pair and were stopped."""

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.ros_room import ros_room
from benchmarks.ros_xrays import XrayMessages
from radgs_core.case import Case
from radgs_core.progress import Progress
from radgs_reg_ros.rig.footprint import SHARED_MEMORY, shared_files_of

RESULT_S, ENDS_S = 60.0, 20.0

Identified = set[tuple[Path, int]]
"""Files and their inodes: whoever comes to the domain later makes others of the same names."""


@dataclass(frozen=True)
class LeftByStarts:
    """After all of them.

    Attributes:
        files: of Fast DDS in shared memory, made by node and benchmark.
        processes: starts of which some process still ran when the node itself had ended.
    """

    files: int
    processes: int


def left_by_starts(case: Case, xrays: Sequence[XrayMessages], starts: int, progress: Progress) -> LeftByStarts:
    """Start the node that many times, each in its own domain: configured, activated, with a result, stopped by SIGINT.

    Raises:
        RigError: nothing was registered.
        TimeoutExpired: a process did not end within 20 s.
    """
    files = processes = 0
    for number in range(starts):
        progress(number / starts, f"start {number}")
        before = identified(Path(SHARED_MEMORY).iterdir())  # what a killed process left may be taken on, but not away
        with ros_room(case, auto_register=True) as room:
            room.activate(case)
            stamp_ns = room.send(xrays[number % len(xrays)])
            room.remote.wait_for(
                lambda room=room, stamp_ns=stamp_ns: stamp_ns in room.poses,  # type: ignore[misc]
                "the result of a pair",
                RESULT_S,
            )
            made = identified(shared_files_of(room.process.pid) | shared_files_of(os.getpid())) - before
            room.process.interrupt()
            room.process.wait(ENDS_S)
            processes += runs_still(room.process.pid)
        files += len(made & identified(file for file, _ in made))
    return LeftByStarts(files, processes)


def identified(files: Iterable[Path]) -> Identified:
    """Those that exist."""
    found: Identified = set()
    for file in files:
        with suppress(FileNotFoundError):
            found.add((file, file.stat().st_ino))
    return found


def runs_still(group: int) -> bool:
    """Whether a process group has a process."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
