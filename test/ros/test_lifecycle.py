"""Transitions, also those that go wrong, and the end of the process."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import GetState
from rcl_interfaces.srv import SetParameters
from rclpy.parameter import Parameter

from radgs_reg_ros.rig.node_process import NodeProcess
from radgs_reg_ros.rig.private_domain import private_domain

NODE = "/registration_node"
CONFIGURE, CLEANUP = Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_CLEANUP
ACTIVATE, DEACTIVATE = Transition.TRANSITION_ACTIVATE, Transition.TRANSITION_DEACTIVATE


@pytest.fixture(scope="module")
def node(start_node, remote):
    process = start_node("registration_node")
    remote.watch(process)
    return process


def state(remote, node: str = NODE) -> str:
    return remote.call(GetState, f"{node}/get_state", GetState.Request(), 30.0).current_state.label


def set_parameter(remote, name: str, value: object) -> None:
    request = SetParameters.Request(parameters=[Parameter(name, value=value).to_parameter_msg()])
    assert remote.call(SetParameters, f"{NODE}/set_parameters", request, 30.0).results[0].successful


def empty_folder(tmp_path: Path) -> str:
    return str(tmp_path)


def missing_folder(tmp_path: Path) -> str:
    return str(tmp_path / "nowhere")


def nothing(tmp_path: Path) -> str:
    return ""


@pytest.mark.parametrize("case_of", [empty_folder, missing_folder, nothing])
def test_without_a_usable_case_the_node_stays_unconfigured_and_says_why(case_of, node, remote, diagnostics, tmp_path):
    case = case_of(tmp_path)
    set_parameter(remote, "case", case)
    since = diagnostics.mark()
    assert not remote.transition(NODE, CONFIGURE)
    assert state(remote) == "unconfigured"
    told = diagnostics.wait("lifecycle", lambda s: s.level == DiagnosticStatus.ERROR, "why", since)
    assert (case or "the parameter case is empty") in told.message


def test_a_level_that_the_case_lacks_is_named(node, remote, diagnostics, case_folder):
    set_parameter(remote, "case", str(case_folder))
    set_parameter(remote, "levels", "T12,L5")
    since = diagnostics.mark()
    assert not remote.transition(NODE, CONFIGURE)
    told = diagnostics.wait("lifecycle", lambda s: s.level == DiagnosticStatus.ERROR, "why", since)
    assert "L5" in told.message
    set_parameter(remote, "levels", "")


def test_every_transition_and_again(node, remote, case_folder):
    set_parameter(remote, "case", str(case_folder))
    for _ in range(2):
        for transition, reached in (
            (CONFIGURE, "inactive"),
            (ACTIVATE, "active"),
            (DEACTIVATE, "inactive"),
            (ACTIVATE, "active"),
            (DEACTIVATE, "inactive"),
            (CLEANUP, "unconfigured"),
        ):
            assert remote.transition(NODE, transition)
            assert state(remote) == reached


def test_it_listens_only_while_active(node, remote):
    def listens(topic: str) -> int:
        return remote.node.count_subscribers(topic)

    inputs = ("/ap/image", "/ap/camera_info", "/lateral/image", "/lateral/camera_info", "/initialpose")
    assert remote.transition(NODE, CONFIGURE, ACTIVATE)
    remote.wait_for(lambda: all(listens(topic) == 1 for topic in inputs), "subscriptions", 20.0)
    assert remote.transition(NODE, DEACTIVATE)
    remote.wait_for(lambda: not any(listens(topic) for topic in inputs), "no subscriptions", 20.0)
    assert not remote.trigger(f"{NODE}/register", 20.0).success
    assert "not active" in remote.trigger(f"{NODE}/register", 20.0).message
    assert remote.transition(NODE, CLEANUP)


def test_autostart_needs_no_manager(start_node, remote, case_folder):
    other = "/alone/registration_node"
    process = start_node("registration_node", "-r", "__ns:=/alone", case=str(case_folder), autostart=True)
    remote.watch(process)
    remote.wait_for(lambda: state(remote, other) == "active", f"{other} active", 30.0)


@pytest.mark.parametrize("name", ["registration_node", "carm_simulator_node"])
@pytest.mark.parametrize("kill", [NodeProcess.interrupt, NodeProcess.terminate])
def test_a_signal_ends_the_process_and_leaves_nothing_in_shared_memory(name, kill, tmp_path):
    # alone in a domain: a peer would keep files of its own, and share some
    with private_domain() as domain, NodeProcess(f"radgs_reg_ros.{name}", domain, tmp_path / "log") as process:
        deadline = time.monotonic() + 30.0
        while not (made := shared_memory_of(process)):
            assert process.failure() is None
            assert time.monotonic() < deadline, "Fast DDS uses shared memory here"
        kill(process)
        assert process.wait(20.0) == 0
    assert not [file for file in made if file.exists()]


def shared_memory_of(process: NodeProcess) -> list[Path]:
    """Fast DDS' segment of a process; one that ends without closing DDS leaves it behind."""
    maps = Path(f"/proc/{process.pid}/maps").read_text()
    return [file for file in Path("/dev/shm").glob("fastdds*") if str(file) in maps]


def test_the_executable_of_the_package_is_this_node(domain):
    executable = Path(sys.prefix) / "lib" / "radgs_reg" / "registration_node"
    if not executable.exists():
        pytest.skip("the package is not installed in this environment")
    ended = subprocess.run(
        [executable, "--ros-args", "-p", "sync_mode:=never"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "ROS_DOMAIN_ID": str(domain)},
    )
    assert ended.returncode == 2
    assert "sync_mode" in ended.stderr
