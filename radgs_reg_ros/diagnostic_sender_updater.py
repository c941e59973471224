"""Diagnostics through diagnostic_updater, where ROS is installed."""

import math
from collections.abc import Mapping

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from diagnostic_updater import DiagnosticStatusWrapper, Updater
from rclpy.node import Node

from radgs_core.registration.pipeline import InputError
from radgs_reg_ros.diagnostic_sender import DEPTH, HARDWARE_ID, message_of
from radgs_reg_ros.parameter_declaration import overrides

PERIOD = "diagnostic_updater.period"


class _OwnWordsUpdater(Updater):
    """Says what this package says without it.

    Its versions differ in what they send: that of ROS 2 Humble has the system's time under a simulated clock, too, and
    the name of the node lacks the namespace.
    """

    def publish(self, msg: DiagnosticStatus | list[DiagnosticStatus]) -> None:
        """Of one entry or some."""
        self.publisher.publish(message_of(self.node, msg if isinstance(msg, list) else [msg]))

    def addedTaskCallback(self, task: object) -> None:
        """Nothing: the original says of an entry that it gets that all is well with it, whatever it is."""


class UpdaterSender:
    """``DiagnosticSender`` with diagnostic_updater's tasks and its parameter of the period.

    Besides its message two things are replaced, because users would miss them. Its timer: it follows the node's clock,
    and a simulated one may stand still, which is when people look at the diagnostics. And its publisher: it keeps one
    message, so that of entries that change one after the other only the last would be sure to arrive.
    """

    def __init__(self, node: Node, entries: Mapping[str, DiagnosticStatus]) -> None:
        """Declares that parameter.

        Raises:
            InputError: it was given at start and is no period.
        """
        _check_period(node)
        self._entries = entries
        self._updater = updater = _OwnWordsUpdater(node)
        updater.setHardwareID(HARDWARE_ID)
        node.destroy_timer(updater.timer)
        node.destroy_publisher(updater.publisher)
        updater.publisher = node.create_publisher(DiagnosticArray, "/diagnostics", DEPTH)
        self.period_s: float = updater.period

    def begin(self, name: str) -> None:
        """See ``DiagnosticSender``."""
        self._updater.add(name, lambda status: _filled(status, self._entries[name]))

    def end(self, name: str) -> None:
        """See ``DiagnosticSender``."""
        self._updater.removeByName(name)

    def send(self, entry: DiagnosticStatus) -> None:
        """See ``DiagnosticSender``."""
        self._updater.publish(entry)

    def send_all(self) -> None:
        """See ``DiagnosticSender``."""
        if self._updater.tasks:
            self._updater.update()


def _check_period(node: Node) -> None:
    """Before the original does: it ends with a traceback, or sends without end."""
    given = overrides(node).get(PERIOD)
    if given is not None and not (isinstance(given.value, float) and 0 < given.value < math.inf):
        raise InputError(
            f"{node.get_name()}: the parameter {PERIOD} must be a double above 0, such as 2.0, not {given.value!r}."
        )


def _filled(status: DiagnosticStatusWrapper, entry: DiagnosticStatus) -> DiagnosticStatusWrapper:
    status.summary(entry.level, entry.message)
    for value in entry.values:
        status.add(value.key, value.value)
    return status
