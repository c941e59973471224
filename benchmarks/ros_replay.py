"""The recorded pairs once more, offline."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from radgs_reg.msg import VertebraPose, VertebraPoseArray
from rclpy.serialization import deserialize_message

from radgs_core.case import Case
from radgs_core.io.bag_reader import opened_bag
from radgs_core.io.bag_writer import written_bag
from radgs_core.messages.factory import Message
from radgs_core.messages.recorded_messages import RecordedMessages
from radgs_core.messages.stamps import nanoseconds
from radgs_core.progress import Progress
from radgs_core.registration.pipeline import SpineRegistration
from radgs_core.replay.replay import Replay
from radgs_core.replay.settings import ReplaySettings


@dataclass(frozen=True)
class ReplayRun:
    """What a replay made.

    Attributes:
        poses: ``vertebra_poses`` by stamp in ns.
        seconds_a_pair: mean wall clock, reading and writing included.
        core_seconds_a_pair: of it, what registering took: from images in memory to a result.
    """

    poses: Mapping[int, VertebraPoseArray]
    seconds_a_pair: float
    core_seconds_a_pair: float

    def largest_difference(self, live: Mapping[int, VertebraPoseArray]) -> float:
        """Of the poses from those of a live run: metres and parts of quaternions; infinite where one is missing."""
        if not live or self.poses.keys() != live.keys():
            return float("inf")
        return float(np.max([_difference(self.poses[stamp_ns], live[stamp_ns]) for stamp_ns in live]))


def replay_run(case: Case, bag: Path, out: Path, progress: Progress) -> ReplayRun:
    """Replay a recording into another one."""
    registration = SpineRegistration(case)
    registration.warm_up()
    with opened_bag(bag) as recording, written_bag(out, "mcap", RecordedMessages().types, {}) as writer:
        replay = Replay(recording, case, registration, ReplaySettings(list(case.levels)))
        began = time.monotonic()
        outcomes = replay.run(writer, progress)
        seconds = time.monotonic() - began
    core_s = [outcome.result.seconds for outcome in outcomes if outcome.result]
    with opened_bag(out) as replayed:
        sent = [deserialize_message(each.data, VertebraPoseArray) for each in replayed.messages(["/vertebra_poses"])]
    return ReplayRun(
        {nanoseconds(poses.header.stamp): poses for poses in sent}, seconds / len(outcomes), sum(core_s) / len(core_s)
    )


def _difference(one: VertebraPoseArray, other: VertebraPoseArray) -> float:
    """Of the poses of registered levels; infinite unless both have the same levels with the same verdicts."""
    verdicts = [[(level.label, level.status) for level in poses.vertebrae] for poses in (one, other)]
    if verdicts[0] != verdicts[1]:
        return float("inf")
    pairs = zip(one.vertebrae, other.vertebrae, strict=True)
    differences = [
        np.abs(_numbers(a.ct_pose) - _numbers(b.ct_pose)) for a, b in pairs if a.status == VertebraPose.REGISTERED
    ]
    # np.max: what is not a number must not get lost among numbers
    return float(np.max(differences, initial=0.0))


def _numbers(pose: Message) -> np.ndarray:
    position, q = pose.position, pose.orientation
    return np.array([position.x, position.y, position.z, q.x, q.y, q.z, q.w])
