"""How long a process takes to end when it is told to while it registers."""

import time
from collections.abc import Sequence

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.qos import QoSProfile

from benchmarks.ros_room import ros_room
from benchmarks.ros_xrays import XrayMessages
from benchmarks.soak_stream import XrayStream
from radgs_core.case import Case
from radgs_core.progress import Progress
from radgs_reg_ros.rig.node_process import NodeProcess

SIGNALS = (NodeProcess.interrupt, NodeProcess.terminate)
BEGINS_S, ENDS_S = 60.0, 60.0


def seconds_to_end(case: Case, xrays: Sequence[XrayMessages], ends: int, progress: Progress) -> float:
    """The longest of some ends, by SIGINT and SIGTERM in turn, of processes that register one pair after the other.

    Raises:
        RigError: nothing was registered.
        TimeoutExpired: a process did not end within a minute.
    """
    longest_s = 0.0
    for number in range(ends):
        progress(number / ends, f"end {number}")
        with ros_room(case, auto_register=True) as room:
            told: list[DiagnosticArray] = room.remote.listen(DiagnosticArray, "/diagnostics", QoSProfile(depth=100))
            room.activate(case)
            with XrayStream(room, xrays):
                # once it is warm: from here on there is always a newer pair to go on with
                room.remote.wait_for(lambda room=room: room.frames_received_ns, "a first result", BEGINS_S)  # type: ignore[misc]
                told.clear()
                room.remote.wait_for(lambda told=told: _registers(told), "the next registration", BEGINS_S)  # type: ignore[misc]
                began = time.monotonic()
                SIGNALS[number % len(SIGNALS)](room.process)
                room.process.wait(ENDS_S)
                longest_s = max(longest_s, time.monotonic() - began)
    return longest_s


def _registers(told: Sequence[DiagnosticArray]) -> bool:
    """Whether the last that was said of a registration is that it runs."""
    said = [s.message for array in list(told) for s in array.status if s.name.endswith(": registration")]
    return bool(said) and said[-1] == "registering"
