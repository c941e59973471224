"""Transforms from the topics themselves, where tf2_ros is not installed."""

import threading
import time
from collections.abc import Callable
from functools import partial

import numpy as np
from geometry_msgs.msg import TransformStamped
from numpy.typing import NDArray
from rclpy.node import Node
from tf2_msgs.msg import TFMessage

from radgs_core.acquisition.rigidity_check import RigidityCheck
from radgs_core.acquisition.tf_tree import TransformTree, TransformUnavailable
from radgs_core.messages.stamps import nanoseconds
from radgs_core.registration.pipeline import InputError
from radgs_reg_ros import qos
from radgs_reg_ros.tf_buffer import CANCEL_S, NEVER, throttled_errors
from radgs_reg_ros.time_jumps import TimeJumps
from radgs_reg_ros.worker import JobCancelled


class TopicTfBuffer:
    """``TfBuffer`` that subscribes to ``/tf`` and ``/tf_static`` and keeps ten seconds.

    Unlike tf2 it knows no authorities, no "latest" stamp and no travel through a fixed frame.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._tree = TransformTree()
        self._check = RigidityCheck(throttled_errors(node))
        self._changed = threading.Condition()
        self._jumps = TimeJumps(node, self._forget_moving)
        self._subscriptions = [
            node.create_subscription(TFMessage, "/tf", partial(self._take, self._insert), qos.tf()),
            node.create_subscription(
                TFMessage, "/tf_static", partial(self._take, self._insert_static), qos.tf_static_in()
            ),
        ]

    def lookup(
        self,
        target: str,
        source: str,
        stamp_ns: int,
        timeout_s: float,
        cancelled: threading.Event = NEVER,
    ) -> NDArray[np.float64]:
        """See ``TfBuffer``."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while True:
                self._check.explain(target, source)
                try:
                    return self._tree.lookup(target, source, stamp_ns)
                except TransformUnavailable:
                    remaining = deadline - time.monotonic()
                    if remaining <= 0:
                        raise
                    if cancelled.is_set():
                        raise JobCancelled(f"the lookup of {source} was cancelled") from None
                    self._changed.wait(min(remaining, CANCEL_S))

    def close(self) -> None:
        """See ``TfBuffer``."""
        self._jumps.close()
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)

    def _take(self, insert: Callable[[TransformStamped, NDArray[np.float64]], None], message: TFMessage) -> None:
        with self._changed:
            for transform in message.transforms:
                matrix = self._check.matrix(transform)
                if matrix is None:
                    self._tree.forget(transform.child_frame_id)
                    continue
                try:
                    insert(transform, matrix)
                except InputError as error:
                    self._node.get_logger().error(str(error), throttle_duration_sec=5.0)
            self._changed.notify_all()

    def _forget_moving(self, _what_happened: str) -> None:
        with self._changed:
            self._tree.forget_moving()

    def _insert(self, transform: TransformStamped, matrix: NDArray[np.float64]) -> None:
        stamp_ns = nanoseconds(transform.header.stamp)
        if self._jumps.is_outdated(stamp_ns):
            return  # it would outlast the samples of the new run, which are older
        self._tree.insert(transform.header.frame_id, transform.child_frame_id, stamp_ns, matrix)

    def _insert_static(self, transform: TransformStamped, matrix: NDArray[np.float64]) -> None:
        self._tree.insert_static(transform.header.frame_id, transform.child_frame_id, matrix)
