"""Records topics of a live run, and tells their bytes from those of a replay."""

import time
from collections.abc import Collection, Iterator, Mapping

from radgs_reg.msg import VertebraPoseArray
from rclpy.serialization import deserialize_message

from radgs_core.io.bag_reader import Recorded
from radgs_core.messages.image_transport import RAW
from radgs_core.messages.recorded_messages import RecordedMessages
from radgs_core.messages.topics import INITIALPOSE, TF, TF_MESSAGE, TF_STATIC
from radgs_reg_ros import qos
from radgs_reg_ros.ros_messages import message_class

POSES = "radgs_reg/msg/VertebraPoseArray"
RECORDED = RecordedMessages()


class TopicRecorder:
    """Keeps the bytes of topics, in the order in which they came: all that goes into a registration, the poses that
    come out, and ``events``, other topics with their types."""

    def __init__(self, remote, events: Mapping[str, str]) -> None:
        self.remote = remote
        self.messages: list[Recorded] = []
        for topic, kind in RAW.xray_topics.items():
            self._listen(f"/{topic}", kind, qos.images_in("reliable"))
        self._listen(TF, TF_MESSAGE, qos.tf())
        self._listen(TF_STATIC, TF_MESSAGE, qos.tf_static_in())
        self._listen("/initialpose", INITIALPOSE, qos.events())
        self._listen("/vertebra_poses", POSES, qos.last_result())
        for topic, kind in events.items():
            self._listen(topic, kind, qos.events())

    def of(self, topic: str) -> list[Recorded]:
        return [message for message in self.messages if message.topic == topic]

    def _listen(self, topic, kind, profile) -> None:
        def take(data: bytes) -> None:
            if kind == POSES and not deserialize_message(data, VertebraPoseArray).vertebrae:
                return  # that there is no result yet
            self.messages.append(Recorded(topic, kind, time.time_ns(), bytes(data)))

        self.remote.node.create_subscription(message_class(kind), topic, take, profile, raw=True)


def without_gaps(message: Recorded) -> memoryview:
    """Its bytes, alignment gaps zeroed: Fast CDR leaves in them what was in memory before."""
    return RECORDED.serialised(message.kind, RECORDED.read(message.kind, message.data, "what came live"))


def of_frames(messages: Collection[Recorded], frames: Collection[str]) -> Iterator[Recorded]:
    """Those of ``/tf`` that hold one of some frames."""
    for message in messages:
        transforms = RECORDED.read(message.kind, message.data, "what is on /tf").transforms
        if any(transform.child_frame_id in frames for transform in transforms):
            yield message
