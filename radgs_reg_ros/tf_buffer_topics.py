"""Transforms from the topics themselves, where tf2_ros is not installed."""

import threading
import time

import numpy as np
from numpy.typing import NDArray
from rclpy.node import Node
from tf2_msgs.msg import TFMessage

from radgs_core.registration.pipeline import InputError
from radgs_reg_ros import qos
from radgs_reg_ros.stamps import nanoseconds
from radgs_reg_ros.tf_tree import TransformTree, TransformUnavailable
from radgs_reg_ros.transform_messages import matrix_from_transform


class TopicTfBuffer:
    """``TfBuffer`` that subscribes to ``/tf`` and ``/tf_static`` and keeps ten seconds.

    Unlike tf2 it knows no authorities, no "latest" stamp and no travel through a fixed frame.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._tree = TransformTree()
        self._refused: dict[str, str] = {}
        self._changed = threading.Condition()
        self._subscriptions = [
            node.create_subscription(TFMessage, "/tf", lambda m: self._insert(m, static=False), qos.tf()),
            node.create_subscription(
                TFMessage, "/tf_static", lambda m: self._insert(m, static=True), qos.tf_static_in()
            ),
        ]

    def lookup(self, target: str, source: str, stamp_ns: int, timeout_s: float) -> NDArray[np.float64]:
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while True:
                try:
                    return self._tree.lookup(target, source, stamp_ns)
                except TransformUnavailable as error:
                    refused = [self._refused[frame] for frame in (source, target) if frame in self._refused]
                    if refused:
                        raise InputError(refused[0]) from error
                    remaining = deadline - time.monotonic()
                    if remaining <= 0:
                        raise
                    self._changed.wait(remaining)

    def close(self) -> None:
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)

    def _insert(self, message: TFMessage, static: bool) -> None:
        with self._changed:
            for transform in message.transforms:
                parent, child = transform.header.frame_id, transform.child_frame_id
                try:
                    matrix = matrix_from_transform(transform.transform, f"the transform {parent} <- {child}")
                    self._tree.insert(parent, child, nanoseconds(transform.header.stamp), matrix, static)
                except InputError as error:
                    self._refused[child] = str(error)
                    self._node.get_logger().error(str(error), throttle_duration_sec=5.0)
                else:
                    self._refused.pop(child, None)
            self._changed.notify_all()
