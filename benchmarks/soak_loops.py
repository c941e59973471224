"""What is left of a node after lifecycle loops."""

from dataclasses import dataclass

from benchmarks.ros_room import NODE, RosRoom
from radgs_core.progress import Progress
from radgs_reg_ros.rig.footprint import Footprint, memory_mb_per_step
from radgs_reg_ros.rig.lifecycle_loop import lifecycle_loop

WARM_UP = 10
"""Loops before the first footprint: caches fill, and threads of the executor are made."""


@dataclass(frozen=True)
class Left:
    """What loops left, beyond what there was after ``WARM_UP`` of them.

    Attributes:
        memory_mb_per_loop: slope of the memory over the loops, the median of those between any two of them (Theil and
            Sen): a leak shows in all, what is only late to be freed in few.
        threads, descriptors, sockets, shared_files: how many more.
    """

    memory_mb_per_loop: float
    threads: int
    descriptors: int
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
        after.descriptors - before.descriptors,
        after.sockets - before.sockets,
        after.shared_files - before.shared_files,
    )
