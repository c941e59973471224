"""Transforms through tf2_ros, where ROS is installed."""

import numpy as np
from numpy.typing import NDArray
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.time import Time
from tf2_ros import Buffer, TransformException, TransformListener

from radgs_reg_ros.stamps import seconds_text
from radgs_reg_ros.tf_tree import TransformUnavailable
from radgs_reg_ros.transform_messages import matrix_from_transform


class Tf2Buffer:
    """``TfBuffer`` with tf2_ros' buffer and listener. tf2 itself drops transforms that are not rigid."""

    def __init__(self, node: Node) -> None:
        self._buffer = Buffer(node=node)
        self._listener = TransformListener(self._buffer, node)

    def lookup(self, target: str, source: str, stamp_ns: int, timeout_s: float) -> NDArray[np.float64]:
        try:
            message = self._buffer.lookup_transform(
                target, source, Time(nanoseconds=stamp_ns), Duration(seconds=timeout_s)
            )
        except TransformException as error:
            raise TransformUnavailable(
                f"tf2 has no transform {target} <- {source} at {seconds_text(stamp_ns)} ({error});"
                " publish it, rigid and at the image's stamp."
            ) from error
        return matrix_from_transform(message.transform, f"the transform {target} <- {source}")

    def close(self) -> None:
        self._listener.unregister()
