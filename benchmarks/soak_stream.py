"""A stream of X-rays, and triggers while it lasts."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.ros_room import NODE, RosRoom
from benchmarks.ros_xrays import XrayMessages
from radgs_core.progress import Progress
from radgs_reg_ros.rig.footprint import Footprint
from radgs_reg_ros.rig.remote import RigError

RATE_HZ = 30.0
TRIGGER_PERIOD_S = 1.0
"""From one trigger to the next, if the first one is answered by then."""
ANSWER_S = 30.0
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


@dataclass(frozen=True)
class Soaked:
    """What a stream with triggers showed.

    Attributes:
        rate_hz: pairs a second that were sent.
        answers_s: of each trigger that was answered, how long that took.
        lost: triggers without an answer, or without a new result.
        failed: triggers that were answered with a level or more rejected.
        footprints: of the node, one after each trigger.
    """

    rate_hz: float
    answers_s: Sequence[float]
    lost: int
    failed: int
    footprints: Sequence[Footprint]

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
    answers_s: list[float] = []
    footprints: list[Footprint] = []
    lost = failed = 0
    with XrayStream(room, xrays) as stream:
        room.remote.wait_for(lambda: stream.frames > RATE_HZ, "the first second of X-rays", ANSWER_S)
        end = time.monotonic() + 60 * minutes
        while (began := time.monotonic()) < end:
            progress(
                1 - (end - began) / (60 * minutes), f"{len(answers_s)} triggers, {stream.rate_hz:.1f} pairs a second"
            )
            oldest_ns = time.time_ns() - round(STALE_S * 1e9)
            room.frames_received_ns.clear()
            try:
                answer = room.remote.trigger(f"{NODE}/register", ANSWER_S)
                answers_s.append(time.monotonic() - began)
                if answer.success:
                    room.remote.wait_for(
                        lambda oldest_ns=oldest_ns: any(ns > oldest_ns for ns in list(room.frames_received_ns)),  # type: ignore[misc]
                        "frames of the trigger",
                        ANSWER_S,
                    )
                failed += not answer.success
            except RigError:
                if room.process.failure():
                    raise
                lost += 1
            footprints.append(Footprint.of(room.process.pid))
            room.poses.clear()
            time.sleep(max(0.0, began + TRIGGER_PERIOD_S - time.monotonic()))
        rate_hz = stream.rate_hz
    return Soaked(rate_hz, answers_s, lost, failed, footprints)
