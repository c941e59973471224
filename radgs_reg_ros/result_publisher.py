"""Sends a registration's result to every topic that carries it."""

from collections.abc import Iterable, Sequence

from rclpy.lifecycle import LifecycleNode

from radgs_core.case import Case
from radgs_core.result_messages import Outgoing, ResultMessages
from radgs_reg_ros import qos
from radgs_reg_ros.ros_messages import ROS_MESSAGES, message_class


class ResultPublisher:
    """Publishes while the lifecycle node is active.

    Attributes:
        messages: makes what is to be published.
    """

    def __init__(
        self, node: LifecycleNode, case: Case, levels: Sequence[str], reference: str, frame_prefix: str = ""
    ) -> None:
        """``frame_prefix``: of the vertebrae's frames.

        Raises:
            InputError: ``reference`` is one of these.
        """
        self._node = node
        self.messages = ResultMessages(ROS_MESSAGES, case, levels, reference, frame_prefix)
        self._publishers = {
            output.topic: node.create_lifecycle_publisher(
                message_class(output.kind), output.topic, qos.offered(output.quality)
            )
            for output in self.messages.outputs
        }

    def publish_beginning(self) -> None:
        """Send what holds before the first result, and take back what is left of another activation."""
        self._send(self.messages.static_frames(self._now_ns()))
        self.publish_nothing()

    def publish(self, result: Iterable[Outgoing]) -> None:
        """Send messages of a result."""
        for outgoing in result:
            self._send(outgoing)

    def publish_no_pictures(self) -> None:
        """Take the pictures of an earlier result back, also from those who come later."""
        self.publish(self.messages.no_pictures(self._now_ns()))

    def publish_nothing(self) -> None:
        """Take the last result back, also from those who come later: it is of another run of time, or of the node."""
        self.publish(self.messages.nothing(self._now_ns()))

    def close(self) -> None:
        """Destroy the publishers."""
        for publisher in self._publishers.values():
            self._node.destroy_lifecycle_publisher(publisher)

    def _send(self, outgoing: Outgoing) -> None:
        self._publishers[outgoing.output.topic].publish(outgoing.message)

    def _now_ns(self) -> int:
        return self._node.get_clock().now().nanoseconds
