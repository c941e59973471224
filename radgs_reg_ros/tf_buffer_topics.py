"""Transforms from the topics themselves, where tf2_ros is not installed."""

import threading
import time

import numpy as np
from numpy.typing import NDArray
from rclpy.node import Node
from tf2_msgs.msg import TFMessage

from radgs_core.registration.pipeline import InputError
from radgs_reg_ros import qos
from radgs_reg_ros.rigidity_check import RigidityCheck
from radgs_reg_ros.stamps import nanoseconds
from radgs_reg_ros.tf_tree import TransformTree, TransformUnavailable


class TopicTfBuffer:
    """``TfBuffer`` that subscribes to ``/tf`` and ``/tf_static`` and keeps ten seconds.

    Unlike tf2 it knows no authorities, no "latest" stamp and no travel through a fixed frame.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._tree = TransformTree()
        self._check = RigidityCheck(node.get_logger())
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
                except TransformUnavailable:
                    self._check.explain(source, target)
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
                matrix = self._check.matrix(transform)
                if matrix is None:
                    continue
                stamp_ns = nanoseconds(transform.header.stamp)
                try:
                    self._tree.insert(transform.header.frame_id, transform.child_frame_id, stamp_ns, matrix, static)
                except InputError as error:
                    self._node.get_logger().error(str(error), throttle_duration_sec=5.0)
            self._changed.notify_all()
