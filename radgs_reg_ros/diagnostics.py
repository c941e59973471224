"""What the node knows about its own health, on /diagnostics."""

import threading
from collections.abc import Collection, Mapping

from diagnostic_msgs.msg import DiagnosticStatus, KeyValue
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from radgs_reg_ros.diagnostic_sender import open_sender


class Diagnostics:
    """Named entries with a level and one sentence; set from any thread.

    Every entry is repeated each second, so that late joiners see it; a change is published at once.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        # Held while entries are sent, too: what is true now is what is sent last. The sender may have a lock of its
        # own, which is only ever taken under this one.
        self._lock = threading.Lock()
        self._entries: dict[str, DiagnosticStatus] = {}
        self._sender = open_sender(node, self._entries)
        # steady: a simulated clock may stand still, and that is when people look at the diagnostics
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = node.create_timer(self._sender.period_s, self._repeat, clock=steady)

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
            self._drop(names)

    def forget(self, but: str) -> None:
        """Drop every entry but one, if it is there: the node starts anew."""
        with self._lock:
            self._drop([name for name in self._entries if name != but])

    def _repeat(self) -> None:
        with self._lock:
            self._sender.send_all()

    def _drop(self, names: Collection[str]) -> None:
        for name in names:
            if name in self._entries:
                self._sender.end(name)
                del self._entries[name]

    def _set(self, name: str, level: bytes, message: str, values: Mapping[str, str]) -> None:
        pairs = [KeyValue(key=key, value=value) for key, value in values.items()]
        entry = DiagnosticStatus(level=level, name=name, message=message, values=pairs)
        with self._lock:
            before = self._entries.get(name)
            self._entries[name] = entry
            if before is None:
                self._sender.begin(name)
            elif before.level == level and (level == DiagnosticStatus.OK or before.message == message):
                return  # what is merely refreshed waits for the timer: images come at 30 Hz
            self._sender.send(entry)
        if level == DiagnosticStatus.WARN:
            self._node.get_logger().warning(message)
        elif level == DiagnosticStatus.ERROR:
            self._node.get_logger().error(message)
