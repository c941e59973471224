"""Diagnostics through diagnostic_updater (a stand-in, and itself where it is installed) and without it are the same."""

import importlib
import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec

import made_updater
import pytest
import rclpy
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile
from rclpy.signals import SignalHandlerOptions
from rosgraph_msgs.msg import Clock

from radgs_core.errors import InputError
from radgs_reg_ros.diagnostics import Diagnostics
from radgs_reg_ros.rig.remote import Remote

LONG = 30.0
SENDERS = {"updater": made_updater, "topic": None}
"""By name, the module diagnostic_updater; None: it cannot be imported."""
if find_spec("diagnostic_updater"):
    SENDERS["installed updater"] = importlib.import_module("diagnostic_updater")


class Node:
    """A node in a namespace whose simulated time stands still, and all that it says."""

    def __init__(self, remote: Remote) -> None:
        self.remote = remote
        self.messages = remote.listen(DiagnosticArray, "/diagnostics", QoSProfile(depth=1000))
        self.node = rclpy.create_node("probe", namespace="left")
        self.use_sim_time(True)
        self.diagnostics = Diagnostics(self.node)
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(self.node)
        remote.wait_for(self.heard, "the listener", LONG)

    def use_sim_time(self, value: bool) -> None:
        self.node.set_parameters([Parameter("use_sim_time", value=value)])

    def stamps(self, name: str) -> set[int]:
        """Seconds of the messages with an entry."""
        return {m.header.stamp.sec for m in self.messages if any(s.name.endswith(f": {name}") for s in m.status)}

    def heard(self) -> bool:
        return self.node.count_subscribers("/diagnostics") > 0

    def statuses(self, name: str) -> list[DiagnosticStatus]:
        return [s for m in self.messages for s in m.status if s.name == f"left/probe: {name}"]

    def wait(self, name: str, times: int) -> list[DiagnosticStatus]:
        """What was said of an entry, while the node is spun."""
        self.spin_until(lambda: len(self.statuses(name)) >= times, f"{times} of {name}")
        return self.statuses(name)

    def spin_until(self, condition: Callable[[], bool], what: str) -> None:
        def met() -> bool:
            self.executor.spin_once(timeout_sec=0.02)
            return condition()

        self.remote.wait_for(met, what, LONG)


@pytest.fixture(params=SENDERS)
def probe(request, domain, monkeypatch) -> Iterator[Node]:
    monkeypatch.delitem(sys.modules, "radgs_reg_ros.diagnostic_sender_updater", raising=False)
    monkeypatch.setitem(sys.modules, "diagnostic_updater", SENDERS[request.param])
    rclpy.init(domain_id=domain, signal_handler_options=SignalHandlerOptions.NO)
    with Remote(domain, "listener") as remote:
        probe = Node(remote)
        kind = "TopicSender" if SENDERS[request.param] is None else "UpdaterSender"
        assert type(probe.diagnostics._sender).__name__ == kind
        yield probe
        probe.executor.shutdown()
        probe.node.destroy_node()
    rclpy.shutdown()
    sys.modules.pop("radgs_reg_ros.diagnostic_sender_updater", None)


def test_an_entry_is_sent_at_once_and_repeated_although_time_stands_still(probe):
    probe.diagnostics.error("pair", "there is none.", stamp="7")
    for status in probe.wait("pair", 3):
        assert (status.level, status.message, status.hardware_id) == (DiagnosticStatus.ERROR, "there is none.", "none")
        assert [(value.key, value.value) for value in status.values] == [("stamp", "7")]
    assert probe.stamps("pair") == {0}


def test_stamps_are_of_the_time_that_the_node_has(probe):
    clock = probe.remote.publisher(Clock, "/clock", QoSProfile(depth=1))

    def it_is_42_s() -> bool:
        clock.publish(Clock(clock=Time(sec=42)))  # again and again: it is subscribed to with best effort
        return probe.node.get_clock().now().nanoseconds == 42_000_000_000

    probe.spin_until(it_is_42_s, "simulated time")
    probe.diagnostics.warn("simulated", "42 s.")
    probe.wait("simulated", 3)
    assert probe.stamps("simulated") == {42}

    probe.use_sim_time(False)
    before = int(time.time())
    probe.diagnostics.warn("real", "later.")
    probe.wait("real", 3)
    assert all(before <= second <= time.time() for second in probe.stamps("real"))


def test_every_change_arrives_and_what_is_refreshed_waits(probe):
    probe.diagnostics.ok("other", "well")
    probe.wait("other", 1)
    names = [f"entry{number}" for number in range(8)]
    for name in names:
        probe.diagnostics.warn(name, "look at it.")
    for name in names:
        assert probe.wait(name, 1)[0].message == "look at it."
    before = len(probe.messages)
    for _ in range(100):
        probe.diagnostics.ok("other", "well, still")
    probe.diagnostics.error("other", "not well.")
    assert probe.wait("other", 2)[-1].level == DiagnosticStatus.ERROR
    assert len(probe.messages) - before < 10


@pytest.mark.parametrize("drop", [lambda d: d.drop(["pair", "nobody"]), lambda d: d.forget(but="stays")])
def test_an_entry_that_is_dropped_is_not_repeated_and_may_come_again(drop, probe):
    probe.diagnostics.ok("pair", "ready")
    probe.diagnostics.ok("stays", "here")
    probe.wait("pair", 2)
    drop(probe.diagnostics)
    probe.wait("stays", len(probe.statuses("stays")) + 1)
    said = len(probe.statuses("pair"))
    probe.wait("stays", len(probe.statuses("stays")) + 2)
    assert len(probe.statuses("pair")) == said
    probe.diagnostics.ok("pair", "ready again")
    assert probe.wait("pair", said + 1)[-1].message == "ready again"


@pytest.mark.parametrize("probe", [name for name, module in SENDERS.items() if module], indirect=True)
@pytest.mark.parametrize("period", [2, 0.0, -1.0, float("nan"), "often"])
def test_a_period_that_is_none_is_refused(period, probe):
    given = [Parameter("diagnostic_updater.period", value=period)]
    node = rclpy.create_node("other", parameter_overrides=given)
    with pytest.raises(InputError, match=r"^other: the parameter diagnostic_updater.period must be a double above 0"):
        Diagnostics(node)
    node.destroy_node()
