"""ROS time that goes back: a recording that is looped, a simulation that begins anew."""

from collections.abc import Callable

from rclpy.clock import ClockChange, JumpThreshold, TimeJump
from rclpy.duration import Duration
from rclpy.node import Node

from radgs_core.acquisition.jump_back import JumpBack
from radgs_core.messages.stamps import JUMP_BACK_NS

_SWITCHED = (ClockChange.ROS_TIME_ACTIVATED, ClockChange.ROS_TIME_DEACTIVATED)


class TimeJumps:
    """Tells when a node's time went back, or comes from another clock, and what was still sent before it did.

    Time goes back only with ``use_sim_time``: then it is what ``/clock`` says. Less than ``JUMP_BACK_NS`` is no jump.
    """

    def __init__(self, node: Node, on_jump: Callable[[str], object]) -> None:
        """``on_jump`` is called in the callback of ``/clock`` with what happened, half a sentence; must not block."""
        self._clock = node.get_clock()
        self._on_jump = on_jump
        self._jump: JumpBack | None = None
        threshold = JumpThreshold(
            min_forward=None, min_backward=Duration(nanoseconds=-JUMP_BACK_NS), on_clock_change=True
        )
        self._handle = self._clock.create_jump_callback(threshold, post_callback=self._jumped)

    def is_outdated(self, stamp_ns: int) -> bool:
        """Whether a message with this stamp that comes now was sent before time went back."""
        jump = self._jump
        if jump is None:
            return False
        if jump.is_over(self._clock.now().nanoseconds):
            self._jump = None
            return False
        return jump.is_of_before(stamp_ns)

    def close(self) -> None:
        """Tell nothing any more."""
        self._handle.unregister()

    def _jumped(self, jump: TimeJump) -> None:
        back_ns = -jump.delta.nanoseconds
        if jump.clock_change in _SWITCHED:
            self._jump = None
            self._on_jump("the time comes from another clock now")
            return
        now_ns = self._clock.now().nanoseconds
        self._jump = JumpBack(now_ns + back_ns, now_ns)
        self._on_jump(f"the time went back by {back_ns / 1e9:.3f} s")
