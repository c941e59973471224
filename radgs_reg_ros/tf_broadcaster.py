"""Sends transforms."""

from collections.abc import Mapping

import numpy as np
from geometry_msgs.msg import TransformStamped
from numpy.typing import NDArray
from rclpy.lifecycle import LifecycleNode
from std_msgs.msg import Header
from tf2_msgs.msg import TFMessage

from radgs_core.messages.transforms import tf_message
from radgs_reg_ros import qos
from radgs_reg_ros.ros_messages import ROS_MESSAGES


class TfBroadcaster:
    """Publishes ``/tf`` and ``/tf_static`` while the lifecycle node is active."""

    def __init__(self, node: LifecycleNode) -> None:
        self._node = node
        self._dynamic = node.create_lifecycle_publisher(TFMessage, "/tf", qos.tf())
        self._static = node.create_lifecycle_publisher(TFMessage, "/tf_static", qos.tf_static_out())

    def send(self, header: Header, T_parent_child: Mapping[str, NDArray[np.float64]]) -> None:
        """Frames by name at a stamp, as children of ``header.frame_id``; (4, 4), mm."""
        self._dynamic.publish(tf_message(ROS_MESSAGES, header, T_parent_child))

    def send_static(self, transforms: list[TransformStamped]) -> None:
        """All static frames of this node at once: each call replaces what late joiners get."""
        self._static.publish(TFMessage(transforms=transforms))

    def close(self) -> None:
        """Take both publishers off the node."""
        self._node.destroy_lifecycle_publisher(self._dynamic)
        self._node.destroy_lifecycle_publisher(self._static)
