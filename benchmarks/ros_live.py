"""Pairs of X-rays registered live and, in turn, by the core alone; what the topics carried is recorded."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from radgs_reg.msg import VertebraPoseArray
from rclpy.serialization import serialize_message

from benchmarks.ros_room import KINDS, RosRoom
from benchmarks.ros_xrays import XrayMessages
from radgs_core.acquisition.pairing import ApproximatePairing
from radgs_core.acquisition.registrar import Registrar
from radgs_core.acquisition.xray_inbox import Acquisition, XrayInbox
from radgs_core.case import Case
from radgs_core.io.bag_writer import BagWriter, written_bag
from radgs_core.messages.factory import Message
from radgs_core.messages.recorded_messages import RecordedMessages
from radgs_core.messages.topics import INITIALPOSE, TF
from radgs_core.messages.transforms import matrix_from_transform
from radgs_core.progress import Progress
from radgs_core.registration.pipeline import SpineRegistration
from radgs_core.xray.carm import REFERENCE
from radgs_reg_ros.rig.remote import RigError

RESULT_S = 30.0


@dataclass(frozen=True)
class LivePair:
    """One pair.

    Attributes:
        stamp_ns: of its images.
        live_s: from that to its first vertebra frame; None if none came.
        core_s: what the core alone takes for the same pair from the same start.
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


class Core:
    """Registers the same messages without ROS, one after the other as the node does."""

    def __init__(self, case: Case, start: Message) -> None:
        self._places: dict[str, np.ndarray] = {}
        registration = SpineRegistration(case)
        registration.warm_up()
        self._registrar = Registrar(registration, list(case.levels), REFERENCE, self._place, self._no_lookup)
        self._registrar.set_start(start, "initialpose")

    def seconds(self, xrays: XrayMessages) -> float:
        """Wall clock from the images in memory to the result."""
        for transform in xrays.places.transforms:
            self._places[transform.child_frame_id] = matrix_from_transform(transform.transform, "a view")
        acquisition = _acquisition(xrays)
        geometry = self._registrar.geometry(acquisition)
        return self._registrar.register(acquisition, geometry, lambda fraction, message: None).seconds

    def _place(self, view: str, frame: str, stamp_ns: int) -> np.ndarray:
        return self._places[frame]

    def _no_lookup(self, target: str, source: str, stamp_ns: int) -> np.ndarray:
        raise AssertionError(f"{source} is {target}")


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
        core = Core(case, start)
        writer.write("/initialpose", INITIALPOSE, 10, False, time.time_ns(), bytes(serialize_message(start)))
        for number in range(pairs):
            shown = xrays[number % len(xrays)]
            progress(number / pairs, f"pair {number}")
            stamp_ns = room.send(shown)
            made.append(LivePair(stamp_ns, _seconds_to_frame(room, stamp_ns), core.seconds(shown)))
            _record(writer, shown)
    return LiveRun(made, dict(room.poses))


def _seconds_to_frame(room: RosRoom, stamp_ns: int) -> float | None:
    try:
        room.remote.wait_for(lambda: stamp_ns in room.poses, "the result", RESULT_S)
        received_ns = room.remote.wait_for(lambda: room.frames_received_ns.get(stamp_ns), "its frames", 1.0)
    except RigError:
        if room.process.failure():
            raise
        return None
    assert received_ns is not None
    return (received_ns - stamp_ns) / 1e9


def _record(writer: BagWriter, xrays: XrayMessages) -> None:
    """Write a pair as it was sent, with its stamps."""
    stamp = next(iter(xrays.images.values())).header.stamp
    for topic, message in xrays.stamped(stamp):
        depth = 100 if topic == TF else 5
        writer.write(topic, KINDS[topic], depth, False, time.time_ns(), bytes(serialize_message(message)))


def _acquisition(xrays: XrayMessages) -> Acquisition:
    inbox = XrayInbox(ApproximatePairing(0.0), "transmission")
    for view in xrays.images:
        inbox.add_info(view, xrays.infos[view], "camera_info")
        inbox.add_image(view, xrays.images[view], "image")
    return inbox.latest()
