"""Calls that wait when the process is told to end are answered first, also on a busy machine."""

import os
from pathlib import Path

from diagnostics_log import DiagnosticsLog
from std_srvs.srv import Trigger
from xray_source import Exposure, XraySource

from radgs_reg_ros.rig.node_process import NodeProcess
from radgs_reg_ros.rig.private_domain import private_domain
from radgs_reg_ros.rig.remote import Remote

NODE = "/registration_node"


def test_the_end_waits_for_answers_of_an_executor_that_is_late(case_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]))
    with (
        private_domain() as domain,
        Remote(domain) as remote,
        NodeProcess("late_node", domain, tmp_path / "log", {"case": str(case_folder)}) as process,
    ):
        diagnostics = DiagnosticsLog(remote)
        with Remote(domain, "starter") as starter:  # the other one goes on when the process has ended
            starter.watch(process)
            starter.bring_up([NODE])
        XraySource(remote).send(Exposure.good(1000))
        diagnostics.wait_for_value("pair", "stamp", lambda stamp: True)
        client = remote.node.create_client(Trigger, f"{NODE}/register")
        remote.wait_for(client.service_is_ready, "the service", 30.0)
        answer = client.call_async(Trigger.Request())
        remote.wait_for(lambda: "registering" in process.log.read_text(), "the registration", 30.0)
        process.interrupt()
        remote.wait_for(answer.done, "the answer", 20.0)
        assert answer.result().message == "the node is shutting down"
        assert process.wait(20.0) == 0
