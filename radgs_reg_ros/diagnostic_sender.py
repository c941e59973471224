"""One way to send entries to ``/diagnostics``, whatever sends them."""

from collections.abc import Mapping
from typing import Protocol

from diagnostic_msgs.msg import DiagnosticStatus
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
