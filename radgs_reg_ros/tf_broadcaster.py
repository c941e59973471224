"""Sends transforms."""

from geometry_msgs.msg import TransformStamped
from rclpy.lifecycle import LifecycleNode
from tf2_msgs.msg import TFMessage

from radgs_reg_ros import qos


class TfBroadcaster:
    """Publishes ``/tf`` and ``/tf_static`` while the lifecycle node is active."""

    def __init__(self, node: LifecycleNode) -> None:
        self._node = node
        self._dynamic = node.create_lifecycle_publisher(TFMessage, "/tf", qos.tf())
        self._static = node.create_lifecycle_publisher(TFMessage, "/tf_static", qos.tf_static_out())

    def send(self, transforms: list[TransformStamped]) -> None:
        """Where moving frames are, each at its stamp."""
        self._dynamic.publish(TFMessage(transforms=transforms))

    def send_static(self, transforms: list[TransformStamped]) -> None:
        """All static frames of this node at once: each call replaces what late joiners get."""
        self._static.publish(TFMessage(transforms=transforms))

    def close(self) -> None:
        """Take both publishers off the node."""
        self._node.destroy_lifecycle_publisher(self._dynamic)
        self._node.destroy_lifecycle_publisher(self._static)
