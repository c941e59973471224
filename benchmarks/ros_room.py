"""registration_node as a process of its own, and this process as C-arm and robot."""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseWithCovarianceStamped
from radgs_reg.msg import VertebraPoseArray
from rclpy.publisher import Publisher
from tf2_msgs.msg import TFMessage

from benchmarks.report import ROOT
from benchmarks.ros_xrays import XrayMessages, start_message
from radgs_core.case import Case
from radgs_core.messages.factory import Message
from radgs_core.messages.image_transport import RAW
from radgs_core.messages.stamps import nanoseconds, stamp_from_nanoseconds
from radgs_core.messages.topics import TF, TF_MESSAGE, resolved
from radgs_reg_ros import qos
from radgs_reg_ros.rig.node_process import NodeProcess, Value
from radgs_reg_ros.rig.private_domain import private_domain
from radgs_reg_ros.rig.remote import Remote
from radgs_reg_ros.ros_messages import ROS_MESSAGES, message_class

NODE = "/registration_node"
KINDS = {resolved(topic, ""): kind for topic, kind in RAW.xray_topics.items()} | {TF: TF_MESSAGE}
"""By topic of the X-rays, its type."""
SETUP_S = 120.0


class RosRoom:
    """The node's other side.

    Attributes:
        remote: a node of this process.
        process: the one of registration_node, unconfigured at first.
        case_folder: what that one loads.
        frames_received_ns: by stamp of an acquisition in ns, when its first vertebra frame came.
        poses: by stamp of an acquisition in ns, what came on ``vertebra_poses``.
        core_s: by stamp of an acquisition as ``seconds_text``, how long registering it took by the node's own clock.
    """

    def __init__(self, remote: Remote, process: NodeProcess, case_folder: Path) -> None:
        self.remote = remote
        self.process = process
        self.case_folder = case_folder
        self.frames_received_ns: dict[int, int] = {}
        self.poses: dict[int, VertebraPoseArray] = {}
        self.core_s: dict[str, float] = {}
        self._publishers: dict[str, Publisher] = {}
        self._start_is_taken = False
        node = remote.node
        node.create_subscription(TFMessage, TF, self._take_frames, qos.tf())
        node.create_subscription(VertebraPoseArray, "/vertebra_poses", self._take_poses, qos.last_result())
        node.create_subscription(DiagnosticArray, "/diagnostics", self._take_diagnostics, 100)

    def activate(self, case: Case) -> Message:
        """Bring the node up and give it a start; returns that message."""
        self.remote.bring_up([NODE], SETUP_S)
        self._publishers = {
            topic: self.remote.publisher(message_class(kind), topic, qos.images_out())
            for topic, kind in KINDS.items()
            if topic != TF
        }
        # this process listens to it, too
        self._publishers[TF] = self.remote.publisher(TFMessage, TF, qos.tf(), subscribers=2)
        start = start_message(case)
        self.remote.publisher(PoseWithCovarianceStamped, "/initialpose", qos.events()).publish(start)
        self.remote.wait_for(lambda: self._start_is_taken, "the node to take its start", SETUP_S)
        return start

    def send(self, xrays: XrayMessages) -> int:
        """Take both X-rays now: publish them with the stamp that is returned, in ns."""
        stamp_ns = time.time_ns()
        stamp: Time = stamp_from_nanoseconds(ROS_MESSAGES, stamp_ns)
        for topic, message in xrays.stamped(stamp):
            self._publishers[topic].publish(message)
        return stamp_ns

    def _take_frames(self, message: TFMessage) -> None:
        received_ns = time.time_ns()
        for transform in message.transforms:
            if transform.child_frame_id.startswith("vertebra_"):
                self.frames_received_ns.setdefault(nanoseconds(transform.header.stamp), received_ns)

    def _take_diagnostics(self, message: DiagnosticArray) -> None:
        for entry in message.status:
            self._start_is_taken |= entry.name.endswith(": initialpose")
            values = {pair.key: pair.value for pair in entry.values}
            if entry.name.endswith(": registration") and "seconds" in values:
                self.core_s[values["stamp"]] = float(values["seconds"])

    def _take_poses(self, message: VertebraPoseArray) -> None:
        if message.vertebrae:  # else there is no result yet
            self.poses[nanoseconds(message.header.stamp)] = message


@contextmanager
def ros_room(case: Case, **parameters: Value) -> Iterator[RosRoom]:
    """A domain of one's own with registration_node in it; ``parameters`` are given to the node."""
    # both processes need the shared memory that large images take
    os.environ.setdefault("FASTDDS_DEFAULT_PROFILES_FILE", str(ROOT / "config" / "fastdds_large_images.xml"))
    with tempfile.TemporaryDirectory() as folder, private_domain() as domain:
        case_folder = Path(folder) / "case"
        case.save(case_folder)
        given = {"case": str(case_folder), **parameters}
        log = Path(folder) / "registration_node.log"
        with NodeProcess("radgs_reg_ros.registration_node", domain, log, given) as process, Remote(domain) as remote:
            remote.watch(process)
            yield RosRoom(remote, process, case_folder)
