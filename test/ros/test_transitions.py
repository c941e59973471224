"""Transitions asked for by another process: what is answered while one takes long, and how one ends that breaks off."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticStatus
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from node_parameters import set_parameter
from rcl_interfaces.srv import GetParameters
from rclpy.qos import QoSProfile
from rosgraph_msgs.msg import Clock

from radgs_reg_ros.rig.node_process import NodeProcess

NODE = "/registration_node"
LONG = 60.0
CONFIGURE, CLEANUP = Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_CLEANUP
ACTIVATE, DEACTIVATE = Transition.TRANSITION_ACTIVATE, Transition.TRANSITION_DEACTIVATE


@pytest.fixture(scope="module")
def node(domain, remote, case_folder, tmp_path_factory) -> Iterator[NodeProcess]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]))
        log = tmp_path_factory.mktemp("log") / "unsteady_node.log"
        process = NodeProcess("unsteady_node", domain, log, {"case": str(case_folder), "use_sim_time": True})
    with process:
        remote.watch(process)
        yield process


@pytest.fixture
def change_state(node, remote):
    """Asks for a transition; returns a future of the answer."""
    client = remote.node.create_client(ChangeState, f"{NODE}/change_state")
    remote.wait_for(client.service_is_ready, "the service", LONG)
    yield lambda transition: client.call_async(ChangeState.Request(transition=Transition(id=transition)))
    remote.node.destroy_client(client)


def state(remote) -> str:
    return remote.call(GetState, f"{NODE}/get_state", GetState.Request(), LONG).current_state.label


def set_value(remote, name: str, value: object) -> None:
    result = set_parameter(remote, NODE, name, value)
    assert result.successful, result.reason


def value(remote, name: str) -> object:
    (value,) = remote.call(GetParameters, f"{NODE}/get_parameters", GetParameters.Request(names=[name]), LONG).values
    return value


@pytest.fixture
def configuring(change_state, remote):
    """The answer of a *configure* that is held; afterwards the node is unconfigured."""
    set_value(remote, "held", "configure")
    answer = change_state(CONFIGURE)
    remote.wait_for(lambda: state(remote) == "configuring", "configure to begin", LONG)
    yield answer
    set_value(remote, "held", "")
    remote.wait_for(answer.done, "the end of configure", LONG)
    if state(remote) == "active":
        assert remote.transition(NODE, DEACTIVATE)
    assert remote.transition(NODE, CLEANUP)


def test_the_node_answers_while_it_is_configured(configuring, remote, diagnostics):
    clock = remote.publisher(Clock, "/clock", QoSProfile(depth=1))
    since = diagnostics.mark()

    def told(second: int) -> bool:
        clock.publish(Clock(clock=Time(sec=second)))  # again and again: it is subscribed to with best effort
        return any(m.header.stamp.sec == second for m in diagnostics._messages[since:])

    for second in (100, 101):
        remote.wait_for(lambda second=second: told(second), f"diagnostics at {second} s", LONG)
    assert {entry.message for entry in diagnostics.entries("lifecycle", since)} == {"configuring"}
    assert value(remote, "held").string_value == "configure"
    assert state(remote) == "configuring"
    assert not configuring.done()


def test_while_it_is_configured_parameters_are_taken_that_act_at_once(configuring, remote):
    refused = set_parameter(remote, NODE, "case", "/another")
    assert not refused.successful
    assert refused.reason == "the parameter case is read when the node is configured; clean up first, then set it."
    set_value(remote, "tf_timeout_s", 0.25)
    assert value(remote, "tf_timeout_s").double_value == 0.25
    assert not configuring.done()


def test_a_transition_waits_for_the_one_before_it(configuring, change_state, remote):
    later = change_state(ACTIVATE)
    for _ in range(3):
        assert state(remote) == "configuring"
    assert not later.done()
    set_value(remote, "held", "")
    remote.wait_for(later.done, "the next transition", LONG)
    assert configuring.done() and configuring.result().success and later.result().success
    assert state(remote) == "active"


FAILING = [
    ("configure", [], CONFIGURE),
    ("activate", [CONFIGURE], ACTIVATE),
    ("deactivate", [CONFIGURE, ACTIVATE], DEACTIVATE),
    ("release", [CONFIGURE], CLEANUP),
]
"""A step that fails, transitions before, and its own."""


@pytest.mark.parametrize(("step", "before", "transition"), FAILING)
def test_a_transition_that_breaks_off_is_told_and_the_node_can_be_configured_again(
    step, before, transition, node, remote, diagnostics
):
    assert remote.transition(NODE, *before)
    set_value(remote, "failing", step)
    since = diagnostics.mark()
    assert not remote.transition(NODE, transition)
    assert state(remote) == "unconfigured"
    sentence = f"the transition failed unexpectedly (RuntimeError: the cable is out in {step})."
    told = diagnostics.wait("lifecycle", lambda s: s.message == sentence, sentence, since)
    assert told.level == DiagnosticStatus.ERROR
    remote.wait_for(lambda: remote.node.count_subscribers("/initialpose") == 0, "no subscription", LONG)
    assert remote.transition(NODE, CONFIGURE, ACTIVATE)
    assert state(remote) == "active"
    remote.wait_for(lambda: remote.node.count_publishers("/markers") == 1, "one publisher of markers", LONG)
    remote.wait_for(lambda: remote.node.count_subscribers("/initialpose") == 1, "one subscription", LONG)
    assert remote.transition(NODE, DEACTIVATE, CLEANUP)
    remote.wait_for(lambda: remote.node.count_publishers("/markers") == 0, "all to be given back", LONG)


def test_when_error_processing_fails_too_the_node_is_finalized_and_goes_on_answering(node, remote, diagnostics):
    """Last in this file."""
    assert remote.transition(NODE, CONFIGURE, ACTIVATE)
    set_value(remote, "failing", "deactivate release")
    since = diagnostics.mark()
    assert not remote.transition(NODE, DEACTIVATE)
    assert state(remote) == "finalized"
    for sentence in (
        "the transition failed unexpectedly (RuntimeError: the cable is out in deactivate).",
        "what a transition left could not be given back; start the process anew"
        " (RuntimeError: the cable is out in release).",
    ):
        diagnostics.wait("lifecycle", lambda s, sentence=sentence: s.message == sentence, sentence, since)
    assert not remote.transition(NODE, CONFIGURE)
    node.interrupt()
    assert node.wait(20.0) == 0
