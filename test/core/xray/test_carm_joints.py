import math

import pytest

from radgs_core.errors import InputError
from radgs_core.xray.carm_joints import JOINTS, JointPositions, joint_values, with_joint_values

SOMEWHERE = JointPositions(30.0, -10.0, 50.0, -20.0, 7.0)


def test_messages_have_radians_and_metres() -> None:
    assert joint_values(SOMEWHERE) == pytest.approx(
        {
            "carm_orbital": math.pi / 6,
            "carm_angular": -math.pi / 18,
            "table_x": 0.05,
            "table_y": -0.02,
            "table_z": 0.007,
        }
    )


def test_values_of_messages_give_the_positions_back() -> None:
    values = joint_values(SOMEWHERE)
    again = with_joint_values(JointPositions(), list(values), list(values.values()), "carm/command")
    for joint in JOINTS.values():
        assert getattr(again, joint.field) == pytest.approx(getattr(SOMEWHERE, joint.field), abs=1e-12)


def test_joints_that_are_not_named_stay() -> None:
    moved = with_joint_values(SOMEWHERE, ["table_z"], [0.1], "carm/command")
    assert moved == JointPositions(30.0, -10.0, 50.0, -20.0, pytest.approx(100.0))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", JOINTS)
def test_both_ends_of_a_range_belong_to_it(name: str) -> None:
    joint = JOINTS[name]
    for end in (joint.low, joint.high):
        moved = with_joint_values(SOMEWHERE, [name], [end * joint.unit], "carm/command")
        assert getattr(moved, joint.field) == pytest.approx(end, abs=1e-12)
        assert joint.low <= getattr(moved, joint.field) <= joint.high
        with pytest.raises(InputError, match=rf"^carm/command: {name} goes from .*; stay within that\.$"):
            with_joint_values(SOMEWHERE, [name], [1.001 * end * joint.unit], "carm/command")


@pytest.mark.parametrize(
    ("names", "values", "sentence"),
    [
        (["table_x"], [math.nan], "table_x goes from -0.3 to 0.3 m, not to nan"),
        (["carm_orbital"], [math.inf], "carm_orbital goes from -2.094 to 2.094 rad"),
        (["orbital"], [0.0], "the C-arm has no joint 'orbital'; it has carm_orbital, carm_angular, table_x"),
        (["table_x", "table_y"], [0.0], "2 joints are named and 1 positions given"),
        ([], [], "0 joints are named"),
        (["table_x", "table_y", "table_x"], [0.1, 0.0, 0.2], "the joint table_x is named twice; give one position"),
    ],
)
def test_what_is_no_place_is_refused(names: list[str], values: list[float], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        with_joint_values(SOMEWHERE, names, values, "carm/command")
