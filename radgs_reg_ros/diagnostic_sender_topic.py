"""Diagnostics on their topic itself, where diagnostic_updater is not installed."""

from collections.abc import Mapping

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.node import Node

from radgs_reg_ros.diagnostic_sender import DEPTH, HARDWARE_ID


class TopicSender:
    """``DiagnosticSender`` with a publisher of its own."""

    period_s = 1.0

    def __init__(self, node: Node, entries: Mapping[str, DiagnosticStatus]) -> None:
        self._node = node
        self._entries = entries
        # absolute: monitors listen there whatever the node's namespace
        self._publisher = node.create_publisher(DiagnosticArray, "/diagnostics", DEPTH)

    def begin(self, name: str) -> None:
        """Nothing: all are those that there are."""

    def end(self, name: str) -> None:
        """Nothing."""

    def send(self, entry: DiagnosticStatus) -> None:
        """See ``DiagnosticSender``."""
        self._publish([entry])

    def send_all(self) -> None:
        """See ``DiagnosticSender``."""
        if entries := list(self._entries.values()):
            self._publish(entries)

    def _publish(self, entries: list[DiagnosticStatus]) -> None:
        node_name = self._node.get_fully_qualified_name().lstrip("/")
        message = DiagnosticArray()
        message.header.stamp = self._node.get_clock().now().to_msg()
        message.status = [
            DiagnosticStatus(
                level=entry.level,
                name=f"{node_name}: {entry.name}",
                message=entry.message,
                hardware_id=HARDWARE_ID,
                values=entry.values,
            )
            for entry in entries
        ]
        self._publisher.publish(message)
