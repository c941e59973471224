"""What the node knows about its own health, on /diagnostics."""

import threading
from collections.abc import Collection, Mapping

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

PERIOD_S = 1.0
"""Every entry is repeated at this period, so that late joiners see it; a change is published at once."""


class Diagnostics:
    """Named entries with a level and one sentence; set from any thread."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._lock = threading.Lock()
        self._entries: dict[str, DiagnosticStatus] = {}
        # absolute: monitors listen there whatever the node's namespace
        self._publisher = node.create_publisher(DiagnosticArray, "/diagnostics", 10)
        # steady: a simulated clock may stand still, and that is when people look at the diagnostics
        self._timer = node.create_timer(PERIOD_S, self._publish_all, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def ok(self, name: str, message: str, **values: str) -> None:
        """Set an entry: all is well; ``values`` are shown with it, by key."""
        self._set(name, DiagnosticStatus.OK, message, values)

    def warn(self, name: str, message: str, **values: str) -> None:
        """Set an entry: it works, but somebody should look; ``message`` goes to the log too."""
        self._set(name, DiagnosticStatus.WARN, message, values)

    def error(self, name: str, message: str, **values: str) -> None:
        """Set an entry: something does not work; ``message`` goes to the log too."""
        self._set(name, DiagnosticStatus.ERROR, message, values)

    def drop(self, names: Collection[str]) -> None:
        """Drop some entries: what they told is over."""
        with self._lock:
            for name in names:
                self._entries.pop(name, None)

    def forget(self, but: str) -> None:
        """Drop every entry but one, if it is there: the node starts anew."""
        with self._lock:
            self._entries = {name: entry for name, entry in self._entries.items() if name == but}

    def _set(self, name: str, level: bytes, message: str, values: Mapping[str, str]) -> None:
        entry = DiagnosticStatus(
            level=level,
            name=f"{self._node.get_fully_qualified_name().lstrip('/')}: {name}",
            message=message,
            hardware_id="",
            values=[KeyValue(key=key, value=value) for key, value in values.items()],
        )
        with self._lock:
            before = self._entries.get(name)
            self._entries[name] = entry
        if before is not None and before.level == level and (level == DiagnosticStatus.OK or before.message == message):
            return  # what is merely refreshed waits for the timer: images come at 30 Hz
        if level == DiagnosticStatus.WARN:
            self._node.get_logger().warning(message)
        elif level == DiagnosticStatus.ERROR:
            self._node.get_logger().error(message)
        self._publish([entry])

    def _publish_all(self) -> None:
        with self._lock:
            entries = list(self._entries.values())
        if entries:
            self._publish(entries)

    def _publish(self, entries: list[DiagnosticStatus]) -> None:
        message = DiagnosticArray(status=entries)
        message.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(message)
