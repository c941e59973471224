"""One way to send entries to ``/diagnostics``, whatever sends them."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.node import Node

HARDWARE_ID = "none"
"""What diagnostic_updater asks of nodes that belong to no device."""
DEPTH = 10
"""Entries that change one after the other are messages of their own."""


class DiagnosticSender(Protocol):
    """Sends entries of one node, named ``<node>: <entry>``.

    Attributes:
        period_s: after which ``send_all`` is to be called again.
    """

    period_s: float

    def begin(self, name: str) -> None:
        """From now on this entry is among all."""

    def end(self, name: str) -> None:
        """It is not any more."""

    def send(self, entry: DiagnosticStatus) -> None:
        """Send one entry, which may have been replaced or have ended meanwhile."""

    def send_all(self) -> None:
        """Send all entries."""


def message_of(node: Node, entries: Iterable[DiagnosticStatus]) -> DiagnosticArray:
    """The message that is sent, by the node's clock.

    Entries are named after the node with its namespace, which tells two systems apart.
    """
    node_name = node.get_fully_qualified_name().lstrip("/")
    message = DiagnosticArray()
    message.header.stamp = node.get_clock().now().to_msg()
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
    return message


def open_sender(node: Node, entries: Mapping[str, DiagnosticStatus]) -> DiagnosticSender:
    """diagnostic_updater where it is installed, otherwise a substitute.

    Args:
        node: whose diagnostics they are.
        entries: by name, what is true now: name, level, message and values; none of them is changed, only replaced.
    """
    try:
        from radgs_reg_ros.diagnostic_sender_updater import UpdaterSender
    except ModuleNotFoundError as error:
        if error.name != "diagnostic_updater":
            raise
        from radgs_reg_ros.diagnostic_sender_topic import TopicSender

        return TopicSender(node, entries)
    return UpdaterSender(node, entries)
