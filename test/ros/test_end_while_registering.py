"""A signal ends the process in the middle of a registration of a real case; `make soak` says how long that takes."""

import os
from pathlib import Path

import pytest

from benchmarks import ros_room
from benchmarks.ros_xrays import xray_messages
from radgs_core.case import Case
from radgs_reg_ros.rig.footprint import SHARED_MEMORY, shared_files_of
from radgs_reg_ros.rig.node_process import NodeProcess
from radgs_reg_ros.rig.private_domain import private_domain
from radgs_reg_ros.rig.remote import Remote

LONG = 120.0


@pytest.fixture(scope="module")
def xrays(case_folder):
    return xray_messages(Case.load(case_folder), 1, lambda fraction, message: None)[0]


@pytest.mark.parametrize("kill", [NodeProcess.interrupt, NodeProcess.terminate])
def test_a_signal_ends_a_registration_that_would_go_on_for_ever(kill, case_folder, xrays, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]))
    before = set(Path(SHARED_MEMORY).iterdir())
    given = {"case": str(case_folder), "auto_register": True}
    with (
        private_domain() as domain,
        NodeProcess("endless_node", domain, tmp_path / "log", given) as process,
        Remote(domain) as remote,
    ):
        remote.watch(process)
        room = ros_room.RosRoom(remote, process, case_folder)
        room.activate(Case.load(case_folder))
        room.send(xrays)
        remote.wait_for(lambda: process.log.read_text().count("registered, and again") > 1, "registrations", LONG)
        made = shared_files_of(process.pid) - before - shared_files_of(os.getpid())
        kill(process)
        assert process.wait(LONG) == 0
    assert made and not [file for file in made if file.exists()], "it has left DDS, not broken off"
    log = process.log.read_text()
    assert "Traceback" not in log and "FATAL" not in log
