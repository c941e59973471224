"""What is left of a node after lifecycle loops, and of processes that have ended."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.ros_room import NODE, RosRoom
from radgs_core.progress import Progress
from radgs_reg_ros.rig.footprint import SHARED_MEMORY, Footprint, memory_mb_per_step, shared_files_of
from radgs_reg_ros.rig.lifecycle_loop import lifecycle_loop
from radgs_reg_ros.rig.node_process import NodeProcess
from radgs_reg_ros.rig.private_domain import private_domain
from radgs_reg_ros.rig.remote import Remote

WARM_UP = 10
"""Loops before the first footprint: caches fill, and threads of the executor are made."""
SETTLED_S = 20.0


@dataclass(frozen=True)
class Left:
    """What loops left, beyond what there was after ``WARM_UP`` of them.

    Attributes:
        memory_mb_per_loop: slope of the memory over the loops, the median of those between any two of them (Theil and
            Sen): a leak shows in all, what is only late to be freed in few.
        threads, sockets, shared_files: how many more.
    """

    memory_mb_per_loop: float
    threads: int
    sockets: int
    shared_files: int


def left_by_loops(room: RosRoom, loops: int, progress: Progress) -> Left:
    """Take the node, which is unconfigured, through its lifecycle that many times."""
    footprints = []
    for number in range(WARM_UP + loops):
        progress(number / (WARM_UP + loops), f"loop {number}")
        lifecycle_loop(room.remote, NODE)
        if number >= WARM_UP - 1:
            footprints.append(Footprint.of(room.process.pid))
    before, after = footprints[0], footprints[-1]
    return Left(
        memory_mb_per_step(footprints),
        after.threads - before.threads,
        after.sockets - before.sockets,
        after.shared_files - before.shared_files,
    )


def files_left_by_starts(starts: int, progress: Progress) -> int:
    """Start and stop the process that many times, each in its own domain; returns how many files stay behind."""
    made: set[Path] = set()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(starts):
            progress(number / starts, f"start {number}")
            # what a killed process left may be taken on, but not away
            before = set(Path(SHARED_MEMORY).iterdir())
            with private_domain() as domain, Remote(domain) as remote:
                log = Path(folder) / "log"
                with NodeProcess("radgs_reg_ros.registration_node", domain, log) as process:
                    remote.watch(process)
                    remote.wait_for(lambda remote=remote: NODE[1:] in remote.node.get_node_names(), NODE, SETTLED_S)  # type: ignore[misc]
                    made |= (shared_files_of(process.pid) | shared_files_of(os.getpid())) - before
                    process.interrupt()
                    process.wait(SETTLED_S)
    return sum(file.exists() for file in made)
