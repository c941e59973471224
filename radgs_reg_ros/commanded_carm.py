"""A C-arm that this process moves."""

import dataclasses
import threading

from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode
from rclpy.time import Time
from sensor_msgs.msg import JointState
from std_msgs.msg import Header

from radgs_core.messages.topics import CARM_COMMAND, JOINT_STATES
from radgs_core.registration.pipeline import InputError
from radgs_core.xray.carm_joints import JointPositions, joint_values, with_joint_values
from radgs_core.xray.carm_motion import CArmMotion
from radgs_reg_ros import qos
from radgs_reg_ros.carm_frames_publisher import CArmFramesPublisher
from radgs_reg_ros.carm_place import NotPlaced, Placed
from radgs_reg_ros.diagnostics import Diagnostics

PERIOD_S = 0.05
"""Between two joint states; TF interpolates."""


class CommandedCArm:
    """Goes where ``carm/command`` says; says on ``joint_states`` and ``/tf`` where it is.

    ``turning_deg_s`` and ``table_mm_s`` may be set at any time, for the commands that come then.
    """

    def __init__(self, node: LifecycleNode, frames: CArmFramesPublisher | None, diagnostics: Diagnostics) -> None:
        """``frames``: None where somebody else publishes them from the joint states."""
        self.turning_deg_s, self.table_mm_s = 20.0, 50.0
        self._node = node
        self._frames = frames
        self._diagnostics = diagnostics
        self._lock = threading.Lock()
        self._motion = CArmMotion(JointPositions(), JointPositions(), 0, self.turning_deg_s, self.table_mm_s)
        self._said: Placed | None = None
        self._states = node.create_lifecycle_publisher(JointState, JOINT_STATES, qos.events())
        self._commands = node.create_subscription(JointState, CARM_COMMAND, self._on_command, qos.events())
        # steady: a simulated clock may run at any speed
        self._timer = node.create_timer(PERIOD_S, self._tick, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def now(self) -> Placed:
        """See ``CArmPlace``."""
        with self._lock:
            placed = self._placed()
            if self._said is None or placed.stamp_ns != self._said.stamp_ns:  # tf2 warns of a stamp that comes again
                self._say(placed)
            return placed

    def close(self) -> None:
        """See ``CArmPlace``."""
        self._node.destroy_timer(self._timer)
        self._node.destroy_subscription(self._commands)
        self._node.destroy_lifecycle_publisher(self._states)

    def _placed(self) -> Placed:
        stamp_ns = self._node.get_clock().now().nanoseconds
        if stamp_ns == 0:
            raise NotPlaced("the clock stands at zero: use_sim_time is set, but nobody publishes /clock.")
        if self._said is not None and stamp_ns < self._said.stamp_ns:  # time has jumped back: go on from here
            self._motion = dataclasses.replace(self._motion, begin=self._said.positions, begin_ns=stamp_ns)
        return Placed(stamp_ns, self._motion.at(stamp_ns))

    def _say(self, placed: Placed) -> None:
        self._said = placed
        values, velocities = joint_values(placed.positions), joint_values(self._motion.velocities(placed.stamp_ns))
        self._states.publish(
            JointState(
                header=Header(stamp=Time(nanoseconds=placed.stamp_ns).to_msg()),
                name=list(values),
                position=list(values.values()),
                velocity=list(velocities.values()),
            )
        )
        if self._frames is not None:
            self._frames.publish_moving(placed.stamp_ns, placed.positions)

    def _tick(self) -> None:
        try:
            placed = self.now()
        except NotPlaced as error:
            self._diagnostics.warn("carm", str(error))
            return
        moves = self._motion.at(placed.stamp_ns) != self._motion.target
        values = {name: f"{value:.4f}" for name, value in joint_values(placed.positions).items()}
        self._diagnostics.ok("carm", "moving" if moves else "standing", **values)

    def _on_command(self, message: JointState) -> None:
        with self._lock:
            try:
                placed = self._placed()
                target = with_joint_values(self._motion.target, message.name, message.position, CARM_COMMAND)
            except InputError as error:
                self._diagnostics.error(CARM_COMMAND, str(error))
                return
            self._motion = CArmMotion(placed.positions, target, placed.stamp_ns, self.turning_deg_s, self.table_mm_s)
        self._diagnostics.ok(CARM_COMMAND, "taken")
