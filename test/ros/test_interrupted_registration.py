"""Deactivating a node that registers: the answer comes at once, nothing of the result, and the next one is possible."""

import os
from pathlib import Path

import pytest
from lifecycle_msgs.msg import Transition
from radgs_reg.msg import VertebraPoseArray
from std_srvs.srv import Trigger
from tf2_msgs.msg import TFMessage
from xray_source import Exposure, XraySource

from radgs_reg_ros import qos
from radgs_reg_ros.rig.node_process import NodeProcess

NODE = "/registration_node"
ACTIVATE, DEACTIVATE = Transition.TRANSITION_ACTIVATE, Transition.TRANSITION_DEACTIVATE


@pytest.fixture(scope="module")
def node(domain, remote, case_folder, tmp_path_factory):
    """slow_node, active."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]))
        log = tmp_path_factory.mktemp("log") / "slow_node.log"
        with NodeProcess("slow_node", domain, log, {"case": str(case_folder)}) as process:
            remote.watch(process)
            remote.bring_up([NODE])
            yield process


def registrations(node: NodeProcess) -> int:
    """How many have begun."""
    return node.log.read_text().splitlines().count("registering")


@pytest.mark.parametrize("second", [5000, 5010])
def test_deactivation_gives_the_running_registration_up(second, node, remote, diagnostics):
    since = diagnostics.mark()
    begun = registrations(node)
    poses = remote.listen(VertebraPoseArray, "/vertebra_poses", qos.last_result())
    tf = remote.listen(TFMessage, "/tf", qos.tf())
    XraySource(remote).send(Exposure.good(second))
    diagnostics.wait_for_value("pair", "stamp", lambda stamp: stamp.startswith(f"{second}."), since)
    client = remote.node.create_client(Trigger, f"{NODE}/register")
    answer = client.call_async(Trigger.Request())
    remote.wait_for(lambda: registrations(node) > begun, "the registration", 30.0)

    assert remote.transition(NODE, DEACTIVATE)
    remote.wait_for(answer.done, "the answer", 2.0)
    assert not answer.result().success
    assert answer.result().message == "the node was deactivated"
    diagnostics.wait("registration", lambda s: s.message == "cancelled", "cancelled", since)
    remote.node.destroy_client(client)
    assert remote.transition(NODE, ACTIVATE)
    assert poses == []
    assert not [t for m in tf for t in m.transforms if t.child_frame_id.startswith("vertebra_")]
