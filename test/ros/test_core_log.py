"""What the core logs is in the node's log, with its severity."""

import os
from pathlib import Path

from radgs_reg_ros.rig.node_process import NodeProcess


def test_messages_of_the_core_are_in_the_log(domain, remote, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]))
    with NodeProcess("talking_node", domain, tmp_path / "log", {"autostart": True}) as node:
        remote.watch(node)
        remote.wait_for(lambda: "the parameter case is empty" in node.log.read_text(), "the end of configure", 60.0)
    lines = [line for line in node.log.read_text().splitlines() if "[registration_node]" in line]
    for severity, message in (
        ("INFO", "compiling kernels"),
        ("WARN", "the cache directory cannot be written to"),
        ("ERROR", "no kernels"),
    ):
        assert [line for line in lines if line.startswith(f"[{severity}]") and line.endswith(message)]
    assert not [line for line in lines if line.endswith("details")]
