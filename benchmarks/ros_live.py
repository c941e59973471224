"""Pairs of X-rays registered live; what the topics carried is recorded."""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from radgs_reg.msg import VertebraPoseArray
from rclpy.serialization import serialize_message

from benchmarks.ros_room import KINDS, RosRoom
from benchmarks.ros_xrays import XrayMessages
from radgs_core.case import Case
from radgs_core.io.bag_writer import BagWriter, written_bag
from radgs_core.messages.recorded_messages import RecordedMessages
from radgs_core.messages.stamps import seconds_text
from radgs_core.messages.topics import INITIALPOSE, TF
from radgs_core.progress import Progress
from radgs_reg_ros.rig.remote import RigError

RESULT_S = 30.0


@dataclass(frozen=True)
class LivePair:
    """One pair.

    Attributes:
        stamp_ns: of its images.
        live_s: from that to its first vertebra frame; None if none came.
        core_s: of it, what registering took: from images in memory to a result; NaN if there was none.
    """

    stamp_ns: int
    live_s: float | None
    core_s: float


@dataclass(frozen=True)
class LiveRun:
    """All pairs, and what came on ``vertebra_poses`` by stamp in ns."""

    pairs: Sequence[LivePair]
    poses: Mapping[int, VertebraPoseArray]

    @property
    def overheads_ms(self) -> list[float]:
        """What ROS adds to the core's own time, of each pair with frames."""
        return [1000 * (pair.live_s - pair.core_s) for pair in self.pairs if pair.live_s is not None]

    @property
    def lost(self) -> int:
        """Pairs without a frame."""
        return sum(pair.live_s is None for pair in self.pairs)


def live_run(
    room: RosRoom, case: Case, xrays: Sequence[XrayMessages], pairs: int, bag: Path, progress: Progress
) -> LiveRun:
    """Have pairs registered one by one, by a node that registers every pair, and record them.

    Raises:
        RigError: the node ended.
    """
    made: list[LivePair] = []
    types = RecordedMessages().types
    with written_bag(bag, "mcap", types, {}) as writer:
        start = room.activate(case)
        writer.write("/initialpose", INITIALPOSE, 10, False, time.time_ns(), bytes(serialize_message(start)))
        for number in range(pairs):
            shown = xrays[number % len(xrays)]
            progress(number / pairs, f"pair {number}")
            stamp_ns = room.send(shown)
            made.append(_pair(room, stamp_ns))
            _record(writer, shown)
    return LiveRun(made, dict(room.poses))


def _pair(room: RosRoom, stamp_ns: int) -> LivePair:
    """Wait until the node has done with a pair."""
    stamp = seconds_text(stamp_ns)
    try:
        core_s = room.remote.wait_for(lambda: room.core_s.get(stamp), "the end of a registration", RESULT_S)
        assert core_s is not None
        received_ns = room.remote.wait_for(lambda: room.frames_received_ns.get(stamp_ns), "its frames", 1.0)
    except RigError:
        if room.process.failure():
            raise
        return LivePair(stamp_ns, None, room.core_s.get(stamp, math.nan))
    assert received_ns is not None
    return LivePair(stamp_ns, (received_ns - stamp_ns) / 1e9, core_s)


def _record(writer: BagWriter, xrays: XrayMessages) -> None:
    """Write a pair as it was sent, with its stamps."""
    stamp = next(iter(xrays.images.values())).header.stamp
    for topic, message in xrays.stamped(stamp):
        depth = 100 if topic == TF else 5
        writer.write(topic, KINDS[topic], depth, False, time.time_ns(), bytes(serialize_message(message)))
