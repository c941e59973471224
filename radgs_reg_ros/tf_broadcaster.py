"""Sends transforms."""

from collections.abc import Mapping

import numpy as np
from geometry_msgs.msg import TransformStamped
from numpy.typing import NDArray
from rclpy.lifecycle import LifecycleNode
from std_msgs.msg import Header
from tf2_msgs.msg import TFMessage

from radgs_reg_ros import qos
from radgs_reg_ros.transform_messages import transform_from_matrix


class TfBroadcaster:
    """Publishes ``/tf`` and ``/tf_static`` while the lifecycle node is active."""

    def __init__(self, node: LifecycleNode) -> None:
        self._node = node
        self._dynamic = node.create_lifecycle_publisher(TFMessage, "/tf", qos.tf())
        self._static = node.create_lifecycle_publisher(TFMessage, "/tf_static", qos.tf_static_out())

    def send(self, header: Header, T_parent_child: Mapping[str, NDArray[np.float64]]) -> None:
        """Frames by name at a stamp, as children of ``header.frame_id``; (4, 4), mm."""
        self._dynamic.publish(TFMessage(transforms=_transforms(header, T_parent_child)))

    def send_static(self, transforms: list[TransformStamped]) -> None:
        """All static frames of this node at once: each call replaces what late joiners get."""
        self._static.publish(TFMessage(transforms=transforms))

    def close(self) -> None:
        """Take both publishers off the node."""
        self._node.destroy_lifecycle_publisher(self._dynamic)
        self._node.destroy_lifecycle_publisher(self._static)


def transform_stamped(header: Header, child: str, T_parent_child: NDArray[np.float64]) -> TransformStamped:
    """One edge of the tree; (4, 4), mm."""
    return TransformStamped(header=header, child_frame_id=child, transform=transform_from_matrix(T_parent_child))


def _transforms(header: Header, T_parent_child: Mapping[str, NDArray[np.float64]]) -> list[TransformStamped]:
    return [transform_stamped(header, child, matrix) for child, matrix in T_parent_child.items()]
