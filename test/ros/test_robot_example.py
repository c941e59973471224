"""The robot of docs/frames.md acts on a frame only if it is of the last result, which calls the level registered."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import rclpy
from builtin_interfaces.msg import Time
from geometry_msgs.msg import TransformStamped
from radgs_reg.msg import VertebraPose, VertebraPoseArray
from rclpy.qos import QoSProfile

from radgs_reg_ros import qos

PAGE = Path(__file__).parents[2] / "docs" / "frames.md"
(EXAMPLE,) = (code for code in PAGE.read_text().split("```python\n")[1:] if "plan_robot_m" in code)
REJECTED, REGISTERED = VertebraPose.REJECTED, VertebraPose.REGISTERED


class StillWaitsError(Exception):
    """All has come that will come."""


class Room:
    """In place of ROS: what comes, a message or a frame at a time, as often as the robot spins."""

    def __init__(self) -> None:
        self.coming: Iterator[VertebraPoseArray | TransformStamped] = iter(())
        self.frame: TransformStamped | None = None

    def create_subscription(
        self, kind: type, topic: str, callback: Callable[[VertebraPoseArray], None], profile: QoSProfile
    ) -> None:
        assert (kind, topic) == (VertebraPoseArray, "vertebra_poses")
        assert profile.durability == qos.last_result().durability, "a result that came before counts, too"
        self.callback = callback

    def spin_once(self, node: object, timeout_sec: float) -> None:
        come = next(self.coming, None)
        if come is None:
            raise StillWaitsError
        if isinstance(come, TransformStamped):
            self.frame = come
        else:
            self.callback(come)

    def can_transform(self, target: str, source: str, time: object) -> bool:
        assert (target, source) == ("robot_base", "vertebra_L1_ct")
        return self.frame is not None

    def lookup_transform(self, target: str, source: str, time: object) -> TransformStamped | None:
        return self.frame


@pytest.fixture
def run_example(monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """Runs it while some messages come; returns its names."""

    def run(*coming: VertebraPoseArray | TransformStamped) -> dict[str, Any]:
        room = Room()
        room.coming = iter(coming)
        tf2 = SimpleNamespace(Buffer=lambda: room, TransformListener=lambda buffer, node: None)
        monkeypatch.setitem(sys.modules, "tf2_ros", tf2)
        monkeypatch.setattr(rclpy, "init", lambda: None)
        monkeypatch.setattr(rclpy, "spin_once", room.spin_once)
        monkeypatch.setattr("rclpy.node.Node", lambda name: room)
        names: dict[str, Any] = {}
        exec(EXAMPLE.split("```")[0], names)
        return names

    return run


def result(second: int, **statuses: int) -> VertebraPoseArray:
    """Of some levels."""
    message = VertebraPoseArray(vertebrae=[VertebraPose(label=label, status=s) for label, s in statuses.items()])
    message.header.stamp = Time(sec=second)
    return message


def frame(second: int) -> TransformStamped:
    """That of L1, as many metres along x."""
    transform = TransformStamped()
    transform.header.stamp = Time(sec=second)
    transform.transform.translation.x = float(second)
    return transform


@pytest.mark.parametrize(
    "coming",
    [
        [frame(1), result(1, L1=REGISTERED)],
        [result(1, L1=REGISTERED), frame(1)],
        [frame(1), result(2, L1=REJECTED), frame(3), result(3, L1=REGISTERED)],
        [frame(1), result(3, L1=REGISTERED), frame(3)],
    ],
)
def test_a_registered_level_carries_the_plan(
    coming: list[VertebraPoseArray | TransformStamped], run_example: Callable[..., dict[str, Any]]
) -> None:
    names = run_example(*coming)
    second = coming[-1].header.stamp.sec
    np.testing.assert_allclose(names["plan_robot_m"], names["plan_ct_m"] + [second, 0, 0])
    assert names["found"].header.stamp.sec == second


@pytest.mark.parametrize(
    "coming",
    [
        [frame(1)],
        [frame(1), result(2, L1=REJECTED)],
        [frame(1), result(1, T12=REGISTERED, L1=REJECTED)],
        [frame(1), result(2, T12=REGISTERED)],
        [frame(1), result(2, L1=REGISTERED)],
        [frame(2), result(1, L1=REGISTERED)],
        [frame(1), VertebraPoseArray()],
        [result(1, L1=REGISTERED), result(2, L1=REJECTED), frame(1)],
    ],
)
def test_it_waits_rather_than_take_an_old_frame_or_a_rejected_level(
    coming: list[VertebraPoseArray | TransformStamped], run_example: Callable[..., dict[str, Any]]
) -> None:
    with pytest.raises(StillWaitsError):
        run_example(*coming)
