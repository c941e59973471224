"""A C-arm that another simulation moves."""

import threading

from rclpy.lifecycle import LifecycleNode
from sensor_msgs.msg import JointState

from radgs_core.messages.stamps import nanoseconds
from radgs_core.messages.topics import JOINT_STATES
from radgs_core.registration.pipeline import InputError
from radgs_core.xray.carm_joints import JOINTS, JointPositions, joint_values, with_joint_values
from radgs_reg_ros import qos
from radgs_reg_ros.carm_frames_publisher import CArmFramesPublisher
from radgs_reg_ros.carm_place import NotPlaced, Placed
from radgs_reg_ros.diagnostics import Diagnostics


class FollowedCArm:
    """Is where ``joint_states`` says; publishes its frames at the stamps of these messages."""

    def __init__(self, node: LifecycleNode, frames: CArmFramesPublisher | None, diagnostics: Diagnostics) -> None:
        """``frames``: None where somebody else publishes them from the joint states."""
        self._node = node
        self._frames = frames
        self._diagnostics = diagnostics
        self._lock = threading.Lock()
        self._placed: Placed | None = None
        self._subscription = node.create_subscription(JointState, JOINT_STATES, self._on_states, qos.events())

    def now(self) -> Placed:
        """See ``CArmPlace``: the latest state, at its own stamp."""
        with self._lock:
            if self._placed is None:
                raise NotPlaced(f"nothing has come on {JOINT_STATES}, which says where the C-arm is; publish it.")
            return self._placed

    def close(self) -> None:
        """See ``CArmPlace``."""
        self._node.destroy_subscription(self._subscription)

    def _on_states(self, message: JointState) -> None:
        # the state may be that of a whole room, and come in parts
        own = {name: value for name, value in zip(message.name, message.position, strict=False) if name in JOINTS}
        if not own:
            return
        stamp_ns = nanoseconds(message.header.stamp)
        with self._lock:
            before = self._placed
            try:
                if stamp_ns == 0:
                    raise InputError(f"{JOINT_STATES}: header.stamp is zero; set it to when the joints were there.")
                known = before.positions if before else JointPositions()
                positions = with_joint_values(known, list(own), list(own.values()), JOINT_STATES)
            except InputError as error:
                self._diagnostics.error("carm", str(error))
                return
            self._placed = Placed(stamp_ns, positions)
            if self._frames is not None and (before is None or before.stamp_ns != stamp_ns):
                self._frames.publish_moving(stamp_ns, positions)
        values = {name: f"{value:.4f}" for name, value in joint_values(positions).items()}
        self._diagnostics.ok("carm", "following", **values)
