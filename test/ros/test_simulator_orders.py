"""Orders that go wrong, or come when the simulator is switched off; the test is the node's executor."""

import threading
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.signals import SignalHandlerOptions
from std_srvs.srv import Trigger

from radgs_reg_ros.carm_simulator_node import CarmSimulatorNode

LONG = 20.0


@pytest.fixture
def node(domain) -> Iterator[CarmSimulatorNode]:
    """As if it were active, with nothing in its operating room."""
    rclpy.init(domain_id=domain, signal_handler_options=SignalHandlerOptions.NO)
    node = CarmSimulatorNode()
    node._room, node._active = SimpleNamespace(link=SimpleNamespace(close=lambda: None)), True
    yield node
    node.stop_work(LONG)
    node.destroy_node()
    rclpy.shutdown()


def order(node: CarmSimulatorNode, what) -> Trigger.Response:
    return node._on_order(what, Trigger.Request(), Trigger.Response())


def test_an_unexpected_error_is_told_and_the_next_order_is_taken(node):
    def fails(room, cancelled) -> str:
        raise ZeroDivisionError("no photons")

    answer = order(node, fails)
    assert not answer.success
    assert answer.message == "the order failed unexpectedly (ZeroDivisionError: no photons)."
    told = node.diagnostics._entries["order"]
    assert (told.level, told.message) == (DiagnosticStatus.ERROR, answer.message)
    answer = order(node, lambda room, cancelled: "done")
    assert (answer.success, answer.message) == (True, "done")
    assert node.diagnostics._entries["order"].level == DiagnosticStatus.OK


def test_an_order_does_not_pass_between_the_check_and_the_work(node, monkeypatch):
    """The node is deactivated when the order has found it active, but has not been handed to the worker yet."""
    submit, switched = node._worker.submit, []
    switch = threading.Thread(target=lambda: (node.deactivate(), switched.append(1)))

    def be_deactivated_and_submit(job):
        switch.start()
        switch.join(0.5)
        assert not switched, "what is taken now would run in a node that is not active"
        return submit(job)

    monkeypatch.setattr(node._worker, "submit", be_deactivated_and_submit)

    def waits(room, cancelled) -> str:
        cancelled.wait(LONG)
        return "done"

    answer = order(node, waits)
    switch.join(LONG)
    assert (answer.success, answer.message) == (False, "the node was deactivated")
    assert switched
