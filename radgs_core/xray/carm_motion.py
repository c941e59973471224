"""How a C-arm and its table move: every joint straight to its target, at a constant speed."""

from dataclasses import dataclass

from radgs_core.messages.stamps import NS_PER_S
from radgs_core.xray.carm_joints import JOINTS, Joint, JointPositions


@dataclass(frozen=True)
class CArmMotion:
    """A motion from one place to another; before its begin the C-arm stands, and after its end too.

    Attributes:
        begin, target: where from and where to.
        begin_ns: stamp of the begin.
        turning_deg_s: speed of the angles, degrees a second.
        table_mm_s: speed of the table along each axis, mm a second.
    """

    begin: JointPositions
    target: JointPositions
    begin_ns: int
    turning_deg_s: float
    table_mm_s: float

    def at(self, stamp_ns: int) -> JointPositions:
        """Where the joints are at a stamp."""
        passed_s = max(stamp_ns - self.begin_ns, 0) / NS_PER_S
        return JointPositions(**{joint.field: self._position(joint, passed_s) for joint in JOINTS.values()})

    def velocities(self, stamp_ns: int) -> JointPositions:
        """How fast the joints move at a stamp, degrees and mm a second."""
        now = self.at(stamp_ns)
        return JointPositions(
            **{joint.field: self._velocity(joint, getattr(now, joint.field)) for joint in JOINTS.values()}
        )

    def _position(self, joint: Joint, passed_s: float) -> float:
        begin, target = getattr(self.begin, joint.field), getattr(self.target, joint.field)
        reach = self._speed(joint) * passed_s
        return target if reach >= abs(target - begin) else begin + reach * (1 if target > begin else -1)

    def _velocity(self, joint: Joint, position: float) -> float:
        left = getattr(self.target, joint.field) - position
        return 0.0 if left == 0 else self._speed(joint) * (1 if left > 0 else -1)

    def _speed(self, joint: Joint) -> float:
        return self.turning_deg_s if joint.turns else self.table_mm_s
