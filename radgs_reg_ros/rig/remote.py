"""The other end of the nodes' topics and services: a node in this process that waits for things, never for ever."""

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import rclpy
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rclpy.client import Client
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile
from rclpy.signals import SignalHandlerOptions
from std_srvs.srv import Trigger

from radgs_reg_ros.rig.node_process import NodeProcess

Result = TypeVar("Result")
POLL_S = 0.02


class RigError(RuntimeError):
    """Something that was waited for did not come, or a process ended; the text says what."""


class Remote:
    """A node in a domain, spun in a thread, as a context manager."""

    def __init__(self, domain: int, name: str = "remote") -> None:
        self._context = rclpy.Context()
        rclpy.init(context=self._context, domain_id=domain, signal_handler_options=SignalHandlerOptions.NO)
        self.node = rclpy.create_node(name, context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self._processes: list[NodeProcess] = []
        self._thread = threading.Thread(target=self._spin, name=name, daemon=True)
        self._thread.start()

    def watch(self, *processes: NodeProcess) -> None:
        """From now on waiting also ends when one of these processes ends."""
        self._processes += processes

    def listen(self, kind: type, topic: str, profile: QoSProfile) -> list[Any]:
        """Subscribe; the list grows with every message."""
        messages: list[Any] = []
        self.node.create_subscription(kind, topic, messages.append, profile)
        return messages

    def publisher(self, kind: type, topic: str, profile: QoSProfile, subscribers: int = 1) -> Publisher[Any]:
        """A publisher that already has its subscribers."""
        publisher: Publisher[Any] = self.node.create_publisher(kind, topic, profile)
        self.wait_for(lambda: publisher.get_subscription_count() >= subscribers, f"a subscriber of {topic}", 30.0)
        return publisher

    def wait_for(self, condition: Callable[[], Result], what: str, timeout_s: float) -> Result:
        """The condition's first true value.

        Raises:
            RigError: it did not become true in time, or a watched process ended.
        """
        deadline = time.monotonic() + timeout_s
        while not (value := condition()):
            for process in self._processes:
                if (failure := process.failure()) is not None:
                    raise RigError(failure)
            if time.monotonic() > deadline:
                logs = ", ".join(str(process.log) for process in self._processes)
                raise RigError(
                    f"waited {timeout_s:.0f} s for {what}, in vain; see {logs or 'nothing: no process is watched'}."
                )
            time.sleep(POLL_S)
        return value

    def call(self, kind: type, name: str, request: Any, timeout_s: float) -> Any:
        """Call a service and return its response."""
        client: Client[Any, Any] = self.node.create_client(kind, name)
        try:
            self.wait_for(client.service_is_ready, f"the service {name}", timeout_s)
            future = client.call_async(request)
            self.wait_for(future.done, f"the answer of {name}", timeout_s)
            return future.result()
        finally:
            self.node.destroy_client(client)

    def trigger(self, name: str, timeout_s: float) -> Trigger.Response:
        """Call a std_srvs/Trigger service."""
        return self.call(Trigger, name, Trigger.Request(), timeout_s)

    def transition(self, node: str, *transitions: int, timeout_s: float = 60.0) -> bool:
        """Take a lifecycle node through transitions (lifecycle_msgs/Transition); False when one is refused."""
        for transition in transitions:
            request = ChangeState.Request(transition=Transition(id=transition))
            if not self.call(ChangeState, f"{node}/change_state", request, timeout_s).success:
                return False
        return True

    def bring_up(self, nodes: Sequence[str], timeout_s: float = 60.0) -> None:
        """Configure and activate lifecycle nodes.

        Raises:
            RigError: one of them refused.
        """
        for node in nodes:
            if not self.transition(
                node, Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE, timeout_s=timeout_s
            ):
                raise RigError(f"{node} could not be configured and activated; see its log.")

    def close(self) -> None:
        """End the node."""
        self._executor.shutdown()
        self._thread.join()
        self.node.destroy_node()
        self._context.try_shutdown()

    def _spin(self) -> None:
        with contextlib.suppress(ExternalShutdownException):
            self._executor.spin()

    def __enter__(self) -> "Remote":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
