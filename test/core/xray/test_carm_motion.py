from radgs_core.xray.carm_joints import JointPositions
from radgs_core.xray.carm_motion import CArmMotion

S = 1_000_000_000
MOTION = CArmMotion(
    JointPositions(10.0, 5.0, 0.0, 20.0, 0.0), JointPositions(90.0, -5.0, 100.0, 20.0, 0.0), 1000 * S, 20.0, 50.0
)


def test_every_joint_goes_straight_to_its_target_at_its_speed() -> None:
    assert MOTION.at(1000 * S + S // 4) == JointPositions(15.0, 0.0, 12.5, 20.0, 0.0)
    assert MOTION.at(1001 * S) == JointPositions(30.0, -5.0, 50.0, 20.0, 0.0)
    assert MOTION.at(1002 * S) == JointPositions(50.0, -5.0, 100.0, 20.0, 0.0)


def test_it_stands_before_and_exactly_at_its_target_after() -> None:
    assert MOTION.at(999 * S) == MOTION.begin
    assert MOTION.at(1004 * S) == MOTION.at(5000 * S) == MOTION.target


def test_velocities_are_those_of_what_still_moves() -> None:
    assert MOTION.velocities(1000 * S + S // 4) == JointPositions(20.0, -20.0, 50.0, 0.0, 0.0)
    assert MOTION.velocities(1001 * S) == JointPositions(20.0, 0.0, 50.0, 0.0, 0.0)
    assert MOTION.velocities(1004 * S) == JointPositions()
