"""Transforms through tf2_ros, where ROS is installed."""

import threading
import time

import numpy as np
from geometry_msgs.msg import TransformStamped
from numpy.typing import NDArray
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.time import Time
from tf2_ros import Buffer, TransformException, TransformListener

from radgs_core.acquisition.rigidity_check import RigidityCheck
from radgs_core.acquisition.tf_tree import CACHE_S, TransformUnavailable, forgotten_sentence
from radgs_core.messages.stamps import NS_PER_S, nanoseconds, seconds_text
from radgs_core.messages.transforms import matrix_from_transform
from radgs_reg_ros.tf_buffer import CANCEL_S, NEVER, throttled_errors
from radgs_reg_ros.time_jumps import TimeJumps
from radgs_reg_ros.worker import JobCancelled


class _CheckedBuffer(Buffer):
    """tf2_ros' buffer without the transforms that are not rigid."""

    def __init__(self, node: Node) -> None:
        super().__init__(Duration(seconds=CACHE_S), node)
        self.check = RigidityCheck(throttled_errors(node))
        # in place of tf2_ros' own, which fails in some versions and bears with jumps of less than a second
        self.jump_handle.unregister()
        self.jumps = TimeJumps(node, lambda _what_happened: self.clear())

    def set_transform(self, transform: TransformStamped, authority: str) -> None:
        """Take a sample of a moving frame, unless it is refused or was sent before time went back."""
        outdated = self.jumps.is_outdated(nanoseconds(transform.header.stamp))
        if not outdated and self.check.matrix(transform) is not None:
            super().set_transform(transform, authority)

    def set_transform_static(self, transform: TransformStamped, authority: str) -> None:
        """Take a static transform, unless it is refused."""
        if self.check.matrix(transform) is not None:
            super().set_transform_static(transform, authority)


class Tf2Buffer:
    """``TfBuffer`` with tf2_ros' buffer and listener."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._buffer = _CheckedBuffer(node)
        self._listener = TransformListener(self._buffer, node)

    def lookup(
        self,
        target: str,
        source: str,
        stamp_ns: int,
        timeout_s: float,
        cancelled: threading.Event = NEVER,
    ) -> NDArray[np.float64]:
        """See ``TfBuffer``."""
        # before tf2 is asked: it still has the transforms from before the refused one
        self._buffer.check.explain(target, source)
        stamp = Time(nanoseconds=stamp_ns)
        deadline = time.monotonic() + timeout_s
        # in slices: tf2 itself cannot be cancelled
        while (remaining := deadline - time.monotonic()) > CANCEL_S:
            if self._buffer.can_transform(target, source, stamp, Duration(seconds=CANCEL_S)):
                break
            if cancelled.is_set():
                raise JobCancelled(f"the lookup of {source} was cancelled")
        timeout = Duration(seconds=max(remaining, 0.0))
        try:
            message = self._buffer.lookup_transform(target, source, stamp, timeout)
        except TransformException as error:
            self._buffer.check.explain(target, source)
            if self._has_forgotten(target, source, stamp_ns):
                raise TransformUnavailable(forgotten_sentence(target, source, stamp_ns)) from error
            raise TransformUnavailable(
                f"tf2 has no transform {target} <- {source} at {seconds_text(stamp_ns)} ({error});"
                " publish it on /tf at the image's stamp, or on /tf_static."
            ) from error
        return matrix_from_transform(message.transform, f"the transform {target} <- {source}")

    def _has_forgotten(self, target: str, source: str, stamp_ns: int) -> bool:
        """Whether a transform at this stamp would come too late."""
        try:
            latest = self._buffer.get_latest_common_time(target, source)
        except TransformException:  # it has nothing of one of the two
            return False
        return bool(latest.nanoseconds - stamp_ns > CACHE_S * NS_PER_S)

    def close(self) -> None:
        """See ``TfBuffer``."""
        self._listener.unregister()
        # tf2_ros leaves these with the node
        self._node.destroy_service(self._buffer.srv)
        self._buffer.jumps.close()
