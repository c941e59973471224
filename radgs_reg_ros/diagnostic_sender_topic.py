"""Diagnostics on their topic itself, where diagnostic_updater is not installed."""

from collections.abc import Mapping

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.node import Node

from radgs_reg_ros.diagnostic_sender import DEPTH, message_of


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
        self._publisher.publish(message_of(self._node, [entry]))

    def send_all(self) -> None:
        """See ``DiagnosticSender``."""
        if entries := list(self._entries.values()):
            self._publisher.publish(message_of(self._node, entries))
