"""Publishes simulated time."""

import threading
import time
from dataclasses import dataclass

from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.time import Time
from rosgraph_msgs.msg import Clock

from radgs_core.messages.topics import CLOCK

PERIOD_S = 0.01


@dataclass(frozen=True)
class ScaledTime:
    """A time that runs faster or slower than another.

    Attributes:
        begin_ns: the scaled time at ``real_ns``.
        real_ns: the other time.
        factor: nanoseconds of the scaled time in one of the other; 0: it stands.
    """

    begin_ns: int
    real_ns: int
    factor: float

    def at(self, real_ns: int) -> int:
        """The scaled time when it is ``real_ns``."""
        return self.begin_ns + round((real_ns - self.real_ns) * self.factor)

    def with_factor(self, factor: float, real_ns: int) -> "ScaledTime":
        """The same time until ``real_ns``, and from then on at another speed: it does not jump."""
        return ScaledTime(self.at(real_ns), real_ns, factor)


class ClockPublisher:
    """Publishes ``/clock`` a hundred times a second, from the present time on; until it is closed, never backwards.

    Another one begins with the present time again: after one that ran faster, time jumps back.
    """

    def __init__(self, node: Node, factor: float) -> None:
        """``factor``: seconds of simulated time in one of real time."""
        self._node = node
        self._lock = threading.Lock()
        self._time = ScaledTime(time.time_ns(), time.monotonic_ns(), factor)
        self._publisher = node.create_publisher(Clock, CLOCK, QoSProfile(depth=1))
        self._closed = threading.Event()
        # a thread of its own: time goes on while a transition keeps the executor busy
        self._thread = threading.Thread(target=self._run, name="clock", daemon=True)
        self._thread.start()

    def set_factor(self, factor: float) -> None:
        """Run at another speed from now on."""
        with self._lock:
            self._time = self._time.with_factor(factor, time.monotonic_ns())

    def close(self) -> None:
        """Time ends."""
        self._closed.set()
        self._thread.join()
        self._node.destroy_publisher(self._publisher)

    def _run(self) -> None:
        while not self._closed.wait(PERIOD_S):
            with self._lock:
                now_ns = self._time.at(time.monotonic_ns())
            self._publisher.publish(Clock(clock=Time(nanoseconds=now_ns).to_msg()))
