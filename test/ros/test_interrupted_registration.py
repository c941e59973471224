"""What ends a running registration: the answer comes at once, nothing of the result, and the next one is possible."""

import os
import time
from pathlib import Path

import pytest
from builtin_interfaces.msg import Time
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import GetState
from radgs_reg.msg import VertebraPoseArray
from rosgraph_msgs.msg import Clock
from std_srvs.srv import Trigger
from tf2_msgs.msg import TFMessage
from xray_source import Exposure, XraySource

from radgs_reg_ros import qos
from radgs_reg_ros.rig.node_process import NodeProcess

NODE = "/registration_node"
ACTIVATE, DEACTIVATE = Transition.TRANSITION_ACTIVATE, Transition.TRANSITION_DEACTIVATE


@pytest.fixture(scope="module")
def node(domain, remote, case_folder, tmp_path_factory):
    """slow_node, active; its time stands still until somebody sets it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]))
        log = tmp_path_factory.mktemp("log") / "slow_node.log"
        with NodeProcess("slow_node", domain, log, {"case": str(case_folder), "use_sim_time": True}) as process:
            remote.watch(process)
            remote.bring_up([NODE])
            yield process


def registrations(node: NodeProcess) -> int:
    """How many have begun."""
    return node.log.read_text().splitlines().count("registering")


@pytest.fixture
def registering(node, remote, diagnostics):
    """``registering(second)``: the answer that is waited for while the exposure of a second is registered."""
    clients = []

    def begin(second: int):
        since, begun = diagnostics.mark(), registrations(node)
        XraySource(remote).send(Exposure.good(second))
        diagnostics.wait_for_value("pair", "stamp", lambda stamp: stamp.startswith(f"{second}."), since)
        clients.append(remote.node.create_client(Trigger, f"{NODE}/register"))
        answer = clients[-1].call_async(Trigger.Request())
        remote.wait_for(lambda: registrations(node) > begun, "the registration", 30.0)
        return answer

    yield begin
    for client in clients:
        remote.node.destroy_client(client)


def no_result_yet(remote) -> list[VertebraPoseArray]:
    """What comes after the first message, which says so."""
    poses = remote.listen(VertebraPoseArray, "/vertebra_poses", qos.last_result())
    remote.wait_for(lambda: poses and not poses.pop().vertebrae, "that there is no result yet", 20.0)
    return poses


@pytest.mark.parametrize("second", [5000, 5010])
def test_deactivation_gives_the_running_registration_up(second, registering, remote, diagnostics):
    since = diagnostics.mark()
    poses = no_result_yet(remote)
    tf = remote.listen(TFMessage, "/tf", qos.tf())
    answer = registering(second)
    assert remote.transition(NODE, DEACTIVATE)
    remote.wait_for(answer.done, "the answer", 2.0)
    assert not answer.result().success
    assert answer.result().message == "the node was deactivated"
    diagnostics.wait("registration", lambda s: s.message == "cancelled", "cancelled", since)
    assert remote.transition(NODE, ACTIVATE)
    remote.wait_for(lambda: poses, "what activation sends", 20.0)
    assert [message.vertebrae for message in poses] == [[]]
    assert not [t for m in tf for t in m.transforms if t.child_frame_id.startswith("vertebra_")]


def test_time_that_goes_back_gives_the_running_registration_up(registering, remote, diagnostics):
    """Its result would be of a time that is still to come."""
    clock = remote.publisher(Clock, "/clock", qos.events())
    since = diagnostics.mark()

    def is_told_the_time() -> bool:
        # best effort: what is sent before the node has found the publisher is lost
        clock.publish(Clock(clock=Time(sec=5020)))
        return diagnostics.is_told_of_time(5020, since)

    remote.wait_for(is_told_the_time, "the node to have the time", 30.0)
    poses = no_result_yet(remote)
    answer = registering(5020)
    clock.publish(Clock(clock=Time(sec=5000)))
    remote.wait_for(answer.done, "the answer", 5.0)
    assert not answer.result().success
    assert answer.result().message == "the time went back by 20.000 s, and the pair is of before that."
    diagnostics.wait("registration", lambda s: s.message == "cancelled", "cancelled", since)
    remote.wait_for(lambda: poses, "the end of earlier results", 5.0)
    assert [(message.header.stamp.sec, message.vertebrae) for message in poses] == [(5000, [])]


def wait_for_answer(answer) -> str:
    """It was sent before the process ended."""
    deadline = time.monotonic() + 2.0
    while not answer.done() and time.monotonic() < deadline:
        time.sleep(0.01)
    return answer.result().message if answer.done() else "nothing"


def test_calls_at_once_wait_beside_each_other(registering, remote):
    """More than the executor has threads: it goes on with other things, and deactivation answers them all."""
    answers = [registering(5003)]
    client = remote.node.create_client(Trigger, f"{NODE}/register")
    remote.wait_for(client.service_is_ready, "the service", 30.0)
    answers += [client.call_async(Trigger.Request()) for _ in range(4)]
    assert remote.transition(NODE, DEACTIVATE)
    remote.wait_for(lambda: all(answer.done() for answer in answers), "the answers", 5.0)
    assert answers[0].result().message == "the node was deactivated"
    assert not any(answer.result().success for answer in answers)
    remote.node.destroy_client(client)
    assert remote.transition(NODE, ACTIVATE)


def test_the_node_answers_while_it_registers(registering, remote):
    answer = registering(5001)
    state = remote.call(GetState, f"{NODE}/get_state", GetState.Request(), 5.0)
    assert state.current_state.label == "active"
    assert not answer.done()


def test_a_signal_answers_calls_and_ends_the_process_meanwhile(node, registering, remote):
    """Last in this file. What runs would do so for ever."""
    assert remote.transition(NODE, DEACTIVATE, ACTIVATE)
    answer = registering(5002)
    node.interrupt()
    assert node.wait(60.0) == 0
    assert wait_for_answer(answer) == "the node is shutting down"
