"""Sends a registration's result to every topic that carries it."""

from collections.abc import Sequence

from rclpy.lifecycle import LifecycleNode

from radgs_core.acquisition.xray_inbox import Acquisition
from radgs_core.case import Case
from radgs_core.registration.pipeline import BiplanarGeometry, RegistrationResult
from radgs_core.result_messages import Outgoing, ResultMessages
from radgs_reg_ros import qos
from radgs_reg_ros.ros_messages import ROS_MESSAGES, message_class


class ResultPublisher:
    """Publishes ``ResultMessages`` while the lifecycle node is active."""

    def __init__(
        self, node: LifecycleNode, case: Case, levels: Sequence[str], reference: str, frame_prefix: str = ""
    ) -> None:
        """``frame_prefix``: of the vertebrae's frames."""
        self._node = node
        self._messages = ResultMessages(ROS_MESSAGES, case, levels, reference, frame_prefix)
        self._publishers = {
            output.topic: node.create_lifecycle_publisher(
                message_class(output.kind), output.topic, qos.offered(output.quality)
            )
            for output in self._messages.outputs
        }

    def publish_static(self) -> None:
        """Send what holds before the first result."""
        for outgoing in self._messages.before_results(self._node.get_clock().now().nanoseconds):
            self._send(outgoing)

    def messages(
        self, result: RegistrationResult, acquisition: Acquisition, geometry: BiplanarGeometry
    ) -> list[Outgoing]:
        """All messages of one result; makes them first, so that an error leaves none of them sent.

        Raises:
            InputError: as ``ResultMessages.of``.
        """
        return self._messages.of(result, acquisition, geometry)

    def publish(self, messages: Sequence[Outgoing]) -> None:
        """Send one result."""
        for outgoing in messages:
            self._send(outgoing)

    def publish_nothing(self) -> None:
        """Take the last result back, also from those who come later: it is of another run of time."""
        for outgoing in self._messages.nothing(self._node.get_clock().now().nanoseconds):
            self._send(outgoing)

    def close(self) -> None:
        """Destroy the publishers."""
        for publisher in self._publishers.values():
            self._node.destroy_lifecycle_publisher(publisher)

    def _send(self, outgoing: Outgoing) -> None:
        self._publishers[outgoing.output.topic].publish(outgoing.message)
