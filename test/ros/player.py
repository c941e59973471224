"""Plays a recording to a node that is already active, as ``ros2 bag play --clock`` does, but step by step."""

from collections.abc import Collection
from pathlib import Path

from builtin_interfaces.msg import Time
from rclpy.serialization import serialize_message
from rosgraph_msgs.msg import Clock

from radgs_core.io.bag_reader import Recorded, opened_bag
from radgs_core.messages.stamps import NS_PER_S
from radgs_core.messages.topics import CLOCK, CLOCK_MESSAGE, TF, TF_STATIC
from radgs_reg_ros import qos
from radgs_reg_ros.rig.remote import Remote
from radgs_reg_ros.ros_messages import message_class


class Player:
    """Sends the recorded bytes, and the time.

    Attributes:
        sent: all that was sent so far, received a millisecond apart.
    """

    def __init__(self, remote: Remote, path: Path) -> None:
        with opened_bag(path) as bag:
            self._messages = list(bag.messages(list(bag.kinds)))
        self.sent: list[Recorded] = []
        self._clock = remote.publisher(Clock, "/clock", qos.events())
        profiles = {TF: qos.tf(), TF_STATIC: qos.tf_static_out()}
        self._publishers = {
            topic: remote.publisher(message_class(kind), topic, profiles.get(topic, qos.images_out()))
            for topic, kind in bag.kinds.items()
        }

    def set_time(self, second: int) -> None:
        """Say on ``/clock`` what time it is."""
        message = Clock(clock=Time(sec=second))
        self._clock.publish(message)
        self._note(CLOCK, CLOCK_MESSAGE, serialize_message(message))

    def send(self, second: int, without: Collection[str] = ()) -> None:
        """Send what was received at this second, but for some topics."""
        self.send_only(second, [topic for topic in self._publishers if topic not in without])

    def send_only(self, second: int, topics: Collection[str]) -> None:
        """Send what was received at this second on some topics."""
        for recorded in self._messages:
            if recorded.received_ns == second * NS_PER_S and recorded.topic in topics:
                self._publishers[recorded.topic].publish(recorded.data)
                self._note(recorded.topic, recorded.kind, recorded.data)

    def _note(self, topic: str, kind: str, data: bytes) -> None:
        self.sent.append(Recorded(topic, kind, (1 + len(self.sent)) * NS_PER_S // 1000, data))
