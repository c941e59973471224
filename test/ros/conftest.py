"""Nodes as processes, each test module in a ROS domain of its own; the test is the other side of real topics."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from diagnostics_log import DiagnosticsLog
from small_case import small_case

from radgs_reg_ros.rig.node_process import NodeProcess
from radgs_reg_ros.rig.private_domain import private_domain
from radgs_reg_ros.rig.remote import Remote

StartNode = Callable[..., NodeProcess]


@pytest.fixture(scope="session")
def case_folder() -> Path:
    return small_case()


@pytest.fixture(scope="module")
def domain() -> Iterator[int]:
    """A ROS domain that nobody else uses."""
    with private_domain() as domain:
        yield domain


@pytest.fixture(scope="module")
def remote(domain: int) -> Iterator[Remote]:
    """This process's node in the domain."""
    with Remote(domain) as remote:
        yield remote


@pytest.fixture(scope="module")
def diagnostics(remote: Remote) -> DiagnosticsLog:
    """All that is said on /diagnostics while this module runs."""
    return DiagnosticsLog(remote)


@pytest.fixture(scope="module")
def start_node(domain: int, remote: Remote, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartNode]:
    """Starts nodes of this package that end with the test module."""
    started: list[NodeProcess] = []

    def start(name: str, *arguments: str, **parameters: bool | int | float | str) -> NodeProcess:
        log = tmp_path_factory.mktemp("log") / f"{name}.log"
        process = NodeProcess(f"radgs_reg_ros.{name}", domain, log, parameters, arguments)
        started.append(process)
        return process

    yield start
    for process in started:
        process.stop()
