"""A node that is brought up, registers and is cleaned up again and again holds no more than before.

`make soak` repeats it more, and with the registration itself.
"""

import os
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
from xray_source import Exposure, XraySource

from radgs_reg_ros.rig.footprint import (
    SETTLED_MEMORY,
    SHARED_MEMORY,
    Footprint,
    memory_mb_per_step,
    shared_files_of,
)
from radgs_reg_ros.rig.lifecycle_loop import lifecycle_loop
from radgs_reg_ros.rig.node_process import NodeProcess

NODE = "/registration_node"
WARM_UP, LOOPS = 5, 10
MOST_MB_PER_LOOP = 0.4
"""An X-ray of 512x512 float32 that is kept in each loop would be 1, a case more; none was seen to bring 0.1."""
POOL_THREADS = 2
"""The executor makes its threads when it first needs them; a loop that kept one would keep ten."""
SETTLED_S = 20.0
"""Threads and sockets may end after the answer of their transition."""


@pytest.fixture(scope="module")
def start_loops(domain, remote, case_folder, tmp_path_factory):
    """Starts a node whose memory can be compared over its loops; returns its process after the first of them."""
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]))
        for name, value in SETTLED_MEMORY.items():
            patch.setenv(name, value)

        def start(module: str, node: str) -> NodeProcess:
            log = tmp_path_factory.mktemp("log") / "node.log"
            arguments = ("-r", f"__node:={node[1:]}")
            process = NodeProcess(module, domain, log, {"case": str(case_folder)}, arguments)
            remote.watch(stack.enter_context(process))
            for number in range(WARM_UP):
                loop(remote, node, number)
            return process

        yield start


def loop(remote, node: str, number: int) -> None:
    """Once through its lifecycle, with a pair registered meanwhile."""
    sources: list[XraySource] = []
    lifecycle_loop(remote, node, partial(register, remote, node, number, sources))
    sources[0].close()


def register(remote, node: str, number: int, sources: list[XraySource]) -> None:
    """Have a pair of a second of its own registered; its source is kept."""
    sources.append(XraySource(remote))
    sources[0].send(Exposure.good(number + 1))
    remote.wait_for(lambda: remote.trigger(f"{node}/register", SETTLED_S).success, "a pair to be registered", SETTLED_S)


def loops(process, remote, node: str) -> list[Footprint]:
    footprints = [Footprint.of(process.pid)]
    for number in range(LOOPS):
        loop(remote, node, WARM_UP + number)
        footprints.append(Footprint.of(process.pid))
    return footprints


def test_lifecycle_loops_leave_nothing(start_loops, remote):
    process = start_loops("quick_node", NODE)
    footprints = loops(process, remote, NODE)

    def grown() -> dict[str, float]:
        now = Footprint.of(process.pid)
        counts = ("threads", "descriptors", "sockets", "shared_files")
        growth = {name: getattr(now, name) - getattr(footprints[0], name) for name in counts}
        growth["threads"] -= POOL_THREADS
        return {name: value for name, value in growth.items() if value > 0}

    remote.wait_for(lambda: not grown(), f"what {LOOPS} loops made to be given back ({grown()})", SETTLED_S)
    assert memory_mb_per_step(footprints) < MOST_MB_PER_LOOP


def test_an_xray_that_is_kept_in_each_loop_would_be_seen(start_loops, remote):
    process = start_loops("leaking_node", "/leaking_node")
    assert memory_mb_per_step(loops(process, remote, "/leaking_node")) > MOST_MB_PER_LOOP


def test_growth_is_the_slope_that_most_loops_show():
    def slope(memory_mb: list[float]) -> float:
        return memory_mb_per_step([Footprint(value, 9, 30, 7, 4) for value in memory_mb])

    assert slope([300.0 + 4.0 * loop for loop in range(9)]) == pytest.approx(4.0)
    assert slope([300.0, 300.0, 390.0, 300.0, 300.0, 300.0, 380.0]) == 0.0, "peaks are none"
    assert slope([300.0]) == 0.0


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
