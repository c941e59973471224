"""Publishes where C-arm, table and patient are."""

from geometry_msgs.msg import TransformStamped
from rclpy.lifecycle import LifecycleNode
from rclpy.time import Time
from std_msgs.msg import Header

from radgs_core.messages.transforms import transform_stamped
from radgs_core.xray.carm import CArm
from radgs_core.xray.carm_frames import Edge, OpticalFrames, fixed_edges, moving_edges
from radgs_core.xray.carm_joints import JointPositions
from radgs_reg_ros.ros_messages import ROS_MESSAGES
from radgs_reg_ros.tf_broadcaster import TfBroadcaster


class CArmFramesPublisher:
    """Frames on ``/tf`` where joints move them, on ``/tf_static`` where they are mounted."""

    def __init__(self, node: LifecycleNode, carm: CArm, reference: str, prefix: str, optical: OpticalFrames) -> None:
        """``prefix``: put before all names but that of ``reference``."""
        self._tf = TfBroadcaster(node)
        self._carm = carm
        self._reference = reference
        self._prefix = prefix
        self._optical = optical

    def publish_fixed(self, stamp_ns: int) -> None:
        """Send what holds wherever the joints are."""
        self._tf.send_static(self._messages(fixed_edges(self._carm, self._optical), stamp_ns))

    def publish_moving(self, stamp_ns: int, positions: JointPositions) -> None:
        """Send what the joints move."""
        self._tf.send(self._messages(moving_edges(positions, self._reference), stamp_ns))

    def close(self) -> None:
        """Take the publishers off the node."""
        self._tf.close()

    def _messages(self, edges: list[Edge], stamp_ns: int) -> list[TransformStamped]:
        stamp = Time(nanoseconds=stamp_ns).to_msg()
        return [
            transform_stamped(
                ROS_MESSAGES,
                Header(stamp=stamp, frame_id=self._name(edge.parent)),
                self._name(edge.child),
                edge.T_parent_child,
            )
            for edge in edges
        ]

    def _name(self, frame: str) -> str:
        return frame if frame == self._reference else self._prefix + frame
