"""A C-arm that is turned between shots: each new shot makes a new pair with the other view's latest one."""

import re

import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from xray_source import Exposure, XraySource

NODE = "/registration_node"


@pytest.fixture(scope="module")
def node(start_node, remote, case_folder):
    process = start_node(
        "registration_node", case=str(case_folder), sync_mode="latest", auto_register=True, tf_timeout_s=0.2
    )
    remote.watch(process)
    remote.bring_up([NODE])
    return process


@pytest.fixture(scope="module")
def source(node, remote):
    return XraySource(remote)


def failed(diagnostics, sentence: str, since: int) -> None:
    """Wait until a registration ended with this sentence."""
    diagnostics.wait(
        "registration", lambda s: s.level == DiagnosticStatus.ERROR and re.search(sentence, s.message), sentence, since
    )


def test_register_without_a_pair_is_on_the_diagnostics(node, remote, diagnostics):
    answer = remote.trigger(f"{NODE}/register", 20.0)
    assert not answer.success
    told = diagnostics.wait("registration", lambda s: s.level == DiagnosticStatus.WARN, "no pair")
    assert told.message == answer.message
    assert "no pair of X-rays yet" in told.message


def test_a_new_shot_counts_also_when_it_is_older_than_the_other_view(source, diagnostics):
    """The stamp of the pair stays the same: that of the lateral image."""
    since = diagnostics.mark()
    source.send(Exposure.good(1000), ["ap"])
    source.send(Exposure.good(1010), ["lateral"])
    failed(diagnostics, "no start for the registration", since)
    without_tf = Exposure.good(1005)
    del without_tf.transforms["ap"]
    source.send(without_tf, ["ap"])
    failed(diagnostics, "carm_base <- ap_1005", since)
