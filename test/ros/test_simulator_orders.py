"""Orders that go wrong, come at once, or when the simulator is switched off; its executor has a single thread."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from functools import partial
from types import SimpleNamespace

import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticStatus
from node_parameters import set_parameter
from rclpy.executors import SingleThreadedExecutor
from rclpy.signals import SignalHandlerOptions
from std_srvs.srv import Trigger

from radgs_reg_ros.carm_simulator_node import CarmSimulatorNode

LONG = 20.0


@pytest.fixture
def node(domain) -> Iterator[CarmSimulatorNode]:
    """As if it were active, with nothing in its operating room."""
    rclpy.init(domain_id=domain, signal_handler_options=SignalHandlerOptions.NO)
    node = CarmSimulatorNode()
    node._room, node._active = SimpleNamespace(carm=None, link=SimpleNamespace(close=lambda: None)), True
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    spinner = threading.Thread(target=executor.spin)
    spinner.start()
    yield node
    node.stop_work(LONG)
    executor.shutdown()
    spinner.join(LONG)
    node.destroy_node()
    rclpy.shutdown()


def order(node: CarmSimulatorNode, what) -> Trigger.Response:
    answer: Future[Trigger.Response] = Future()
    task = node.executor.create_task(node._on_order, what, Trigger.Request(), Trigger.Response())
    task.add_done_callback(lambda done: answer.set_result(done.result()))
    return answer.result(LONG)


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


def test_calls_are_carried_out_one_after_the_other_while_the_node_goes_on(node, remote):
    begun, go_on = [], threading.Semaphore(0)

    def waits(room, cancelled) -> str:
        begun.append(f"order {len(begun) + 1}")
        assert go_on.acquire(timeout=LONG)
        return begun[-1]

    node.create_service(
        Trigger, "~/wait", partial(node._on_order, waits), callback_group=node._orders[0].callback_group
    )
    client = remote.node.create_client(Trigger, "/carm_simulator_node/wait")
    remote.wait_for(client.service_is_ready, "the service", LONG)
    calls = [client.call_async(Trigger.Request()) for _ in range(3)]
    remote.wait_for(lambda: begun, "the first order", LONG)
    assert set_parameter(remote, "/carm_simulator_node", "photons", 700.0).successful, "meanwhile"
    assert begun == ["order 1"]
    go_on.release(len(calls))
    for call in calls:
        remote.wait_for(call.done, "an answer", LONG)
    assert sorted(call.result().message for call in calls) == ["order 1", "order 2", "order 3"], "none for another"
