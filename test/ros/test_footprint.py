"""A node that is configured and cleaned up again and again holds no more than before; `make soak` repeats it more."""

import os
from pathlib import Path

import pytest

from radgs_reg_ros.rig.footprint import SHARED_MEMORY, Footprint, shared_files_of
from radgs_reg_ros.rig.lifecycle_loop import lifecycle_loop

NODE = "/registration_node"
WARM_UP, LOOPS = 3, 6
GROWTH_MB = 100.0
"""The allocator's memory goes up and down by tens of MB; loops that kept their case would keep hundreds."""
POOL_THREADS = 2
"""The executor makes its threads when it first needs them; a loop that kept one would keep six."""
SETTLED_S = 20.0
"""Threads and sockets may end after the answer of their transition."""


@pytest.fixture(scope="module")
def node(start_node, remote, case_folder):
    process = start_node("registration_node", case=str(case_folder))
    remote.watch(process)
    return process


def test_lifecycle_loops_leave_nothing(node, remote):
    for _ in range(WARM_UP):
        lifecycle_loop(remote, NODE)
    before = Footprint.of(node.pid)
    for _ in range(LOOPS):
        lifecycle_loop(remote, NODE)

    def grown() -> dict[str, float]:
        now = Footprint.of(node.pid)
        counts = ("threads", "descriptors", "sockets", "shared_files")
        growth = {name: getattr(now, name) - getattr(before, name) for name in counts}
        growth["threads"] -= POOL_THREADS
        return {name: value for name, value in growth.items() if value > 0}

    remote.wait_for(lambda: not grown(), f"what {LOOPS} loops made to be given back ({grown()})", SETTLED_S)
    assert Footprint.of(node.pid).memory_mb - before.memory_mb < GROWTH_MB


def test_segments_ports_locks_and_semaphores_are_counted(remote):
    before = shared_files_of(os.getpid())
    kinds = {kind_of(file) for file in before}
    assert kinds == {"segment", "segment lock", "port", "port lock", "port semaphore"}
    lock = Path(SHARED_MEMORY) / f"fastdds_{os.getpid():016x}_el"
    with lock.open("w"):
        assert shared_files_of(os.getpid()) - before == {lock}
        lock.unlink()
        assert len(shared_files_of(os.getpid()) - before) == 1, "removed, but held"
    assert shared_files_of(os.getpid()) == before


def kind_of(file: Path) -> str:
    what = "port" if "fastdds_port" in file.name else "segment"
    lock = " lock" if file.name.endswith("_el") else ""
    return what + lock + (" semaphore" if file.name.startswith("sem.") else "")
