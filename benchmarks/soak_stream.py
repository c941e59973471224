"""A stream of X-rays, and triggers while it lasts."""

import math
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from radgs_reg.msg import VertebraPose, VertebraPoseArray

from benchmarks.ros_room import NODE, RosRoom
from benchmarks.ros_xrays import XrayMessages
from radgs_core.progress import Progress
from radgs_reg_ros.rig.footprint import Footprint
from radgs_reg_ros.rig.remote import RigError

RATE_HZ = 30.0
TRIGGER_PERIOD_S = 1.0
"""From one trigger to the next, if the first one is answered by then."""
ANSWER_S = 30.0
RESULT_S = 5.0
"""A result is sent before the answer, on other topics."""
STALE_S = 1.0
"""A result of a pair that was taken longer than this before the trigger is an old one."""


class XrayStream:
    """Sends pairs at ``RATE_HZ`` from a thread, as a context manager; shows another study every second."""

    def __init__(self, room: RosRoom, xrays: Sequence[XrayMessages]) -> None:
        self._room = room
        self._xrays = xrays
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="X-rays", daemon=True)
        self.frames = 0

    def __enter__(self) -> "XrayStream":
        self._began = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    @property
    def rate_hz(self) -> float:
        """Pairs a second so far."""
        return self.frames / (time.monotonic() - self._began)

    def _run(self) -> None:
        while not self._ended.wait(max(0.0, self._began + self.frames / RATE_HZ - time.monotonic())):
            self._room.send(self._xrays[int(self.frames / RATE_HZ) % len(self._xrays)])
            self.frames += 1


class Ending(Enum):
    """How a trigger ended.

    Lost: no answer, or success without a new result. Failed: an answer without success and without a result.
    Rejected: a result in which a level or more is rejected.
    """

    REGISTERED = "brought all levels"
    REJECTED = "brought rejected levels"
    FAILED = "failed"
    LOST = "was lost"


@dataclass(frozen=True)
class Trigger:
    """One call of ``~/register``.

    Attributes:
        ending: how it ended.
        answer_s: how long its answer took; not a number without one.
        told: what the node answered, or what did not come.
    """

    ending: Ending
    answer_s: float
    told: str


@dataclass(frozen=True)
class Soaked:
    """What a stream with triggers showed.

    Attributes:
        rate_hz: pairs a second that were sent.
        triggers: in their order.
        footprints: of the node, one after each trigger.
    """

    rate_hz: float
    triggers: Sequence[Trigger]
    footprints: Sequence[Footprint]

    def count(self, ending: Ending) -> int:
        """How many triggers ended so."""
        return sum(trigger.ending is ending for trigger in self.triggers)

    def growth(self, name: str) -> float:
        """Of a figure of the footprint: the median of the last quarter less that of the second one."""
        values = [getattr(footprint, name) for footprint in self.footprints]
        quarter = max(1, len(values) // 4)
        return float(np.median(values[-quarter:]) - np.median(values[quarter : 2 * quarter] or values))


def soaked(room: RosRoom, xrays: Sequence[XrayMessages], minutes: float, progress: Progress) -> Soaked:
    """Send pairs for some minutes and trigger registrations meanwhile; the node is active and has a start.

    Raises:
        RigError: the node ended.
    """
    triggers: list[Trigger] = []
    footprints: list[Footprint] = []
    with XrayStream(room, xrays) as stream:
        room.remote.wait_for(lambda: stream.frames > RATE_HZ, "the first second of X-rays", ANSWER_S)
        end = time.monotonic() + 60 * minutes
        while (began := time.monotonic()) < end:
            progress(
                1 - (end - began) / (60 * minutes), f"{len(triggers)} triggers, {stream.rate_hz:.1f} pairs a second"
            )
            triggers.append(trigger(room))
            footprints.append(Footprint.of(room.process.pid))
            time.sleep(max(0.0, began + TRIGGER_PERIOD_S - time.monotonic()))
        rate_hz = stream.rate_hz
    return Soaked(rate_hz, triggers, footprints)


def trigger(room: RosRoom) -> Trigger:
    """Have a pair registered and see what comes of it.

    Raises:
        RigError: the node ended.
    """
    began, oldest_ns = time.monotonic(), time.time_ns() - round(STALE_S * 1e9)
    room.poses.clear()
    room.frames_received_ns.clear()
    answer_s, told, without = math.nan, "", Ending.LOST
    try:
        answer = room.remote.trigger(f"{NODE}/register", ANSWER_S)
        answer_s, told = time.monotonic() - began, answer.message
        without = Ending.LOST if answer.success else Ending.FAILED
        results = room.remote.wait_for(lambda: _results(room, oldest_ns), "a result of the trigger", RESULT_S)
    except RigError as error:
        if room.process.failure():
            raise
        return Trigger(without, answer_s, told or str(error))
    is_registered = all(map(_is_registered, results[0].vertebrae))
    return Trigger(Ending.REGISTERED if is_registered else Ending.REJECTED, answer_s, told)


def _results(room: RosRoom, oldest_ns: int) -> list[VertebraPoseArray]:
    """Of pairs that are not older; where one has frames, not before they have come."""
    return [
        poses
        for stamp_ns, poses in list(room.poses.items())
        if stamp_ns > oldest_ns
        and poses.vertebrae
        and (stamp_ns in room.frames_received_ns or not any(map(_is_registered, poses.vertebrae)))
    ]


def _is_registered(level: VertebraPose) -> bool:
    return level.status == VertebraPose.REGISTERED
