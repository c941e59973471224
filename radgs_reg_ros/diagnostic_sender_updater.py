"""Diagnostics through diagnostic_updater, where ROS is installed."""

from collections.abc import Mapping

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from diagnostic_updater import DiagnosticStatusWrapper, Updater
from rclpy.node import Node

from radgs_reg_ros.diagnostic_sender import DEPTH, HARDWARE_ID


class _QuietUpdater(Updater):
    """Says nothing of an entry that it gets: the original says that all is well with it, whatever it is."""

    def addedTaskCallback(self, task: object) -> None:
        """Nothing."""


class UpdaterSender:
    """``DiagnosticSender`` with diagnostic_updater's tasks, message and parameters.

    Three things of it are replaced, because users would miss them. Its timer: it follows the node's clock, and a
    simulated one may stand still, which is when people look at the diagnostics. Its publisher: it keeps one message, so
    that of entries that change one after the other only the last would be sure to arrive. And the name of the node: it
    lacks the namespace, which tells two systems apart.
    """

    def __init__(self, node: Node, entries: Mapping[str, DiagnosticStatus]) -> None:
        self._entries = entries
        self._updater = updater = _QuietUpdater(node)
        updater.setHardwareID(HARDWARE_ID)
        node.destroy_timer(updater.timer)
        node.destroy_publisher(updater.publisher)
        updater.publisher = node.create_publisher(DiagnosticArray, "/diagnostics", DEPTH)
        updater.node_name = node.get_fully_qualified_name().lstrip("/")
        self.period_s: float = updater.period

    def begin(self, name: str) -> None:
        """See ``DiagnosticSender``."""
        self._updater.add(name, lambda status: _filled(status, self._entries[name]))

    def end(self, name: str) -> None:
        """See ``DiagnosticSender``."""
        self._updater.removeByName(name)

    def send(self, entry: DiagnosticStatus) -> None:
        """See ``DiagnosticSender``."""
        self._updater.publish(_filled(DiagnosticStatusWrapper(name=entry.name, hardware_id=HARDWARE_ID), entry))

    def send_all(self) -> None:
        """See ``DiagnosticSender``."""
        if self._updater.tasks:
            self._updater.update()


def _filled(status: DiagnosticStatusWrapper, entry: DiagnosticStatus) -> DiagnosticStatusWrapper:
    status.summary(entry.level, entry.message)
    for value in entry.values:
        status.add(value.key, value.value)
    return status
