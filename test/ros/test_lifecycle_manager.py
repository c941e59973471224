"""Nav2's lifecycle manager, without Nav2: the calls that it makes over services, in its order, and what it concludes.

It asks for a transition, waits without limit for the answer, which it does not look at, and then asks for the state:
that decides. Sources: nav2_lifecycle_manager and nav2_util/lifecycle_service_client, Humble to Lyrical.
"""

import pytest
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState
from node_parameters import set_parameter

from radgs_reg_ros.rig.node_process import NodeProcess
from radgs_reg_ros.rig.private_domain import private_domain
from radgs_reg_ros.rig.remote import Remote

NODE = "/registration_node"
STATE_S = 2.0
"""How long it waits for the state before Kilted; ``service_timeout`` since then."""
LONG = 120.0
REACHED = {
    Transition.TRANSITION_CONFIGURE: State.PRIMARY_STATE_INACTIVE,
    Transition.TRANSITION_CLEANUP: State.PRIMARY_STATE_UNCONFIGURED,
    Transition.TRANSITION_ACTIVATE: State.PRIMARY_STATE_ACTIVE,
    Transition.TRANSITION_DEACTIVATE: State.PRIMARY_STATE_INACTIVE,
    Transition.TRANSITION_UNCONFIGURED_SHUTDOWN: State.PRIMARY_STATE_FINALIZED,
}
STARTUP = (Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE)
PAUSE = (Transition.TRANSITION_DEACTIVATE,)
RESUME = (Transition.TRANSITION_ACTIVATE,)
RESET = (Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_CLEANUP)
SHUTDOWN = (*RESET, Transition.TRANSITION_UNCONFIGURED_SHUTDOWN)


class LifecycleManager:
    """The one node that it manages."""

    def __init__(self, remote: Remote) -> None:
        """Has one client of each service for all its calls, as it does."""
        self._remote = remote
        self._changes = remote.node.create_client(ChangeState, f"{NODE}/change_state")
        self._states = remote.node.create_client(GetState, f"{NODE}/get_state")
        for client in (self._changes, self._states):
            remote.wait_for(client.service_is_ready, client.srv_name, LONG)
        # Fast DDS loses an answer to a client that the node has not found yet. It finds them in their order: when the
        # second one gets an answer, which is asked for as often as it takes, it has found the first one, too.
        asked = []

        def is_found() -> bool:
            asked.append(self._states.call_async(GetState.Request()))
            return any(answer.done() for answer in asked)

        remote.wait_for(is_found, "the node to find its manager", LONG)

    def manages(self, *transitions: int) -> bool:
        """Startup, pause, resume and reset end with the first transition that was in vain; whether there was none."""
        return all(map(self._change, transitions))

    def shut_down(self) -> bool:
        """Every transition, whatever became of the one before; whether the last one was not in vain."""
        return [self._change(transition) for transition in SHUTDOWN][-1]

    def _change(self, transition: int) -> bool:
        answer = self._changes.call_async(ChangeState.Request(transition=Transition(id=transition)))
        self._remote.wait_for(answer.done, f"the answer to transition {transition}", LONG)
        state = self._states.call_async(GetState.Request())
        self._remote.wait_for(state.done, "the state", STATE_S)
        return state.result().current_state.id == REACHED[transition]


@pytest.fixture
def node(case_folder, tmp_path):
    """A process, and who manages it."""
    with private_domain() as domain, Remote(domain) as remote:
        given = {"case": str(case_folder)}
        with NodeProcess("radgs_reg_ros.registration_node", domain, tmp_path / "log", given) as process:
            remote.watch(process)
            yield process, remote, LifecycleManager(remote)


def test_a_day(node):
    process, _, manager = node
    for _ in range(2):
        assert manager.manages(*STARTUP)
        assert manager.manages(*PAUSE)
        assert manager.manages(*RESUME)
        assert manager.manages(*RESET)
    assert manager.manages(*STARTUP)
    assert manager.shut_down()
    process.interrupt()
    assert process.wait(20.0) == 0
    assert "Traceback" not in process.log.read_text()


@pytest.mark.parametrize("before", [(), (*STARTUP, *PAUSE), (*STARTUP, *RESET)])
def test_shutdown_of_what_is_not_active(before, node):
    """It asks for transitions that the node does not have then."""
    process, _, manager = node
    assert manager.manages(*before)
    assert manager.shut_down()
    process.interrupt()
    assert process.wait(20.0) == 0


def test_what_cannot_be_configured_is_not_activated_and_can_be_started_later(node, case_folder, tmp_path):
    _, remote, manager = node
    assert set_parameter(remote, NODE, "case", str(tmp_path)).successful
    assert not manager.manages(STARTUP[0]), "it goes no further"
    assert set_parameter(remote, NODE, "case", str(case_folder)).successful
    assert manager.manages(*STARTUP)
    assert not manager.manages(*STARTUP), "as with autostart of the node: it is active already"
