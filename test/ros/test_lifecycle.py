"""Transitions, also those that go wrong, and the end of the process."""

import dataclasses
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import GetState
from node_parameters import set_parameter
from small_case import LEVELS
from tf2_msgs.msg import TFMessage
from visualization_msgs.msg import Marker, MarkerArray

from radgs_core.case import Case
from radgs_reg_ros import qos
from radgs_reg_ros.rig.footprint import SHARED_MEMORY, shared_files_of
from radgs_reg_ros.rig.node_process import NodeProcess
from radgs_reg_ros.rig.private_domain import private_domain
from radgs_reg_ros.rig.remote import Remote

NODE = "/registration_node"
CONFIGURE, CLEANUP = Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_CLEANUP
ACTIVATE, DEACTIVATE = Transition.TRANSITION_ACTIVATE, Transition.TRANSITION_DEACTIVATE
SHUTDOWN = {
    "unconfigured": Transition.TRANSITION_UNCONFIGURED_SHUTDOWN,
    "inactive": Transition.TRANSITION_INACTIVE_SHUTDOWN,
    "active": Transition.TRANSITION_ACTIVE_SHUTDOWN,
}


@pytest.fixture(scope="module")
def node(start_node, remote):
    process = start_node("registration_node")
    remote.watch(process)
    return process


def state(remote, node: str = NODE) -> str:
    return remote.call(GetState, f"{node}/get_state", GetState.Request(), 30.0).current_state.label


def empty_folder(tmp_path: Path) -> str:
    return str(tmp_path)


def missing_folder(tmp_path: Path) -> str:
    return str(tmp_path / "nowhere")


def nothing(tmp_path: Path) -> str:
    return ""


@pytest.mark.parametrize("case_of", [empty_folder, missing_folder, nothing])
def test_without_a_usable_case_the_node_stays_unconfigured_and_says_why(case_of, node, remote, diagnostics, tmp_path):
    case = case_of(tmp_path)
    assert set_parameter(remote, NODE, "case", case).successful
    since = diagnostics.mark()
    assert not remote.transition(NODE, CONFIGURE)
    assert state(remote) == "unconfigured"
    sentence = case or "the parameter case is empty"  # what was told of the case before may still be repeated
    diagnostics.wait("lifecycle", lambda s: s.level == DiagnosticStatus.ERROR and sentence in s.message, "why", since)


def test_a_level_that_the_case_lacks_is_named(node, remote, diagnostics, case_folder):
    assert set_parameter(remote, NODE, "case", str(case_folder)).successful
    assert set_parameter(remote, NODE, "levels", "T12,L5").successful
    since = diagnostics.mark()
    assert not remote.transition(NODE, CONFIGURE)
    diagnostics.wait("lifecycle", lambda s: s.level == DiagnosticStatus.ERROR and "L5" in s.message, "why", since)
    assert set_parameter(remote, NODE, "levels", "").successful


@pytest.mark.parametrize(("prefix", "reference"), [("", "vertebra_L1_ct"), ("left/", "left/vertebra_L1")])
def test_a_frame_of_the_results_cannot_be_the_reference_frame(
    prefix, reference, node, remote, diagnostics, case_folder
):
    parameters = {"case": str(case_folder), "frame_prefix": prefix, "reference_frame": reference}
    for name, value in parameters.items():
        assert set_parameter(remote, NODE, name, value).successful
    since = diagnostics.mark()
    assert not remote.transition(NODE, CONFIGURE)
    told = diagnostics.wait("lifecycle", lambda s: s.level == DiagnosticStatus.ERROR, "why", since)
    assert told.message.startswith(f"{reference} cannot be the reference frame")
    for name, value in {"frame_prefix": "", "reference_frame": "carm_base"}.items():
        assert set_parameter(remote, NODE, name, value).successful


def test_every_transition_and_again(node, remote, case_folder):
    assert set_parameter(remote, NODE, "case", str(case_folder)).successful
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


def test_another_case_takes_the_place_of_the_first(node, remote, case_folder, tmp_path):
    """Nothing of the first patient's levels is left in the graph, on /tf_static, or in view."""
    case = Case.load(case_folder)
    kept, dropped = LEVELS
    dataclasses.replace(case, levels={kept: case.levels[kept]}).save(tmp_path / "other")
    measured = [f"/vertebra_{level}/measured_cp" for level in LEVELS]

    def publishers() -> list[int]:
        return [remote.node.count_publishers(topic) for topic in measured]

    assert set_parameter(remote, NODE, "case", str(case_folder)).successful
    assert remote.transition(NODE, CONFIGURE, ACTIVATE)
    remote.wait_for(lambda: publishers() == [1, 1], "publishers of both levels", 20.0)
    refused = set_parameter(remote, NODE, "case", str(tmp_path / "other"))
    assert not refused.successful and "clean up first" in refused.reason
    assert remote.transition(NODE, DEACTIVATE, CLEANUP)
    assert set_parameter(remote, NODE, "case", str(tmp_path / "other")).successful
    assert remote.transition(NODE, CONFIGURE, ACTIVATE)
    remote.wait_for(lambda: publishers() == [1, 0], "publishers of the other case", 20.0)
    static = remote.listen(TFMessage, "/tf_static", qos.tf_static_in())
    markers = remote.listen(MarkerArray, "/markers", qos.last_result())
    remote.wait_for(lambda: static and markers, "what late joiners get", 20.0)
    assert {t.child_frame_id for message in static for t in message.transforms} == {f"vertebra_{kept}_ct"}
    assert [marker.action for marker in markers[0].markers] == [Marker.DELETEALL], "no surface of the first case"
    assert dropped not in str(static)
    assert remote.transition(NODE, DEACTIVATE, CLEANUP)
    assert set_parameter(remote, NODE, "case", str(case_folder)).successful


@pytest.mark.parametrize("before", SHUTDOWN)
def test_after_shutdown_from_any_state_the_process_still_ends_cleanly(before, case_folder, tmp_path):
    with private_domain() as domain, Remote(domain) as remote:
        with NodeProcess(
            "radgs_reg_ros.registration_node", domain, tmp_path / "log", {"case": str(case_folder)}
        ) as process:
            remote.watch(process)
            steps = {"unconfigured": [], "inactive": [CONFIGURE], "active": [CONFIGURE, ACTIVATE]}[before]
            assert remote.transition(NODE, *steps, SHUTDOWN[before])
            assert state(remote) == "finalized"
            assert not remote.transition(NODE, CONFIGURE), "this is the end"
            process.interrupt()
            assert process.wait(20.0) == 0
        assert "Traceback" not in process.log.read_text()
        remote.wait_for(lambda: "registration_node" not in remote.node.get_node_names(), "its end in the graph", 5.0)


def test_autostart_needs_no_manager(start_node, remote, case_folder):
    other = "/alone/registration_node"
    process = start_node("registration_node", "-r", "__ns:=/alone", case=str(case_folder), autostart=True)
    remote.watch(process)
    remote.wait_for(lambda: state(remote, other) == "active", f"{other} active", 30.0)


@pytest.mark.parametrize("name", ["registration_node", "carm_simulator_node"])
@pytest.mark.parametrize("kill", [NodeProcess.interrupt, NodeProcess.terminate])
def test_a_signal_ends_the_process_and_leaves_nothing_in_shared_memory(name, kill, tmp_path):
    before = set(Path(SHARED_MEMORY).iterdir())  # what a killed process left may be taken on, but not away
    # alone in a domain: a peer would keep files of its own, and share some
    with private_domain() as domain, NodeProcess(f"radgs_reg_ros.{name}", domain, tmp_path / "log") as process:
        deadline = time.monotonic() + 120.0
        made: set[Path] = set()
        while not any(file.name.startswith("sem.") for file in made):  # the last one that is made
            made = shared_files_of(process.pid) - before
            assert process.failure() is None
            assert time.monotonic() < deadline, "Fast DDS uses shared memory here"
        kill(process)
        assert process.wait(20.0) == 0
    assert not [file for file in made if file.exists()]


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
