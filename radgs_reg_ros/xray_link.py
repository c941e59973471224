"""The way that images and camera_info take to who listens: as a network does, it may lose, double and delay them."""

import threading
from dataclasses import dataclass

import numpy as np
from rclpy.lifecycle import LifecycleNode
from rclpy.publisher import Publisher
from rclpy.timer import Timer

from radgs_core.messages.factory import Message


@dataclass(frozen=True)
class LinkFaults:
    """What goes wrong.

    Attributes:
        drop_share: share of the messages that are lost.
        duplicate_share: share of those not lost that are sent twice.
        delay_s: how much later they are sent, seconds of the node's clock.
    """

    drop_share: float = 0.0
    duplicate_share: float = 0.0
    delay_s: float = 0.0


class XrayLink:
    """Publishes with faults; which messages they meet depends on the seed and the number of the message."""

    def __init__(self, node: LifecycleNode, seed: int) -> None:
        self._node = node
        self._rng = np.random.default_rng([seed, 0, 1])
        self._lock = threading.Lock()
        self._under_way: set[Timer] = set()

    def send(self, publisher: Publisher, message: Message, faults: LinkFaults) -> None:
        """Publish now, later, twice or not at all."""
        is_lost = self._rng.random() < faults.drop_share
        is_doubled = self._rng.random() < faults.duplicate_share
        messages = [] if is_lost else [message] * (1 + is_doubled)
        if faults.delay_s > 0:
            self._send_later(publisher, messages, faults.delay_s)
        else:
            _publish_all(publisher, messages)

    def close(self) -> None:
        """Give up what is under way."""
        with self._lock:
            for timer in self._under_way:
                self._node.destroy_timer(timer)
            self._under_way.clear()

    def _send_later(self, publisher: Publisher, messages: list[Message], delay_s: float) -> None:
        def arrive() -> None:
            with self._lock:
                if timer not in self._under_way:
                    return
                self._under_way.discard(timer)
                self._node.destroy_timer(timer)
            _publish_all(publisher, messages)

        with self._lock:
            timer = self._node.create_timer(delay_s, arrive)  # of the node's clock, which may be simulated
            self._under_way.add(timer)


def _publish_all(publisher: Publisher, messages: list[Message]) -> None:
    for message in messages:
        publisher.publish(message)
