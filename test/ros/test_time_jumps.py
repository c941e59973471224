"""A node learns from /clock that time went back, and tells by their stamps what was sent before."""

import pytest
from builtin_interfaces.msg import Time
from rclpy.parameter import Parameter
from rosgraph_msgs.msg import Clock

from radgs_reg_ros import qos
from radgs_reg_ros.rig.remote import Remote
from radgs_reg_ros.time_jumps import TimeJumps

S = 1_000_000_000
LONG = 20.0


class Clockwork:
    """A node, its /clock, and what is told of jumps."""

    def __init__(self, remote: Remote, clock) -> None:
        self.remote, self._clock = remote, clock
        self.told: list[str] = []
        self.jumps = TimeJumps(remote.node, self.told.append)

    def set_time(self, second: int, nanosec: int = 0) -> None:
        self._clock.publish(Clock(clock=Time(sec=second, nanosec=nanosec)))
        now = self.remote.node.get_clock().now
        self.remote.wait_for(lambda: now().nanoseconds == second * S + nanosec, "the time", LONG)


@pytest.fixture
def clockwork(remote, domain):
    remote.node.set_parameters([Parameter("use_sim_time", value=True)])
    with Remote(domain, "clock") as other:
        clockwork = Clockwork(remote, other.publisher(Clock, "/clock", qos.events()))
        clockwork.set_time(100)
        yield clockwork
        clockwork.jumps.close()
        remote.node.set_parameters([Parameter("use_sim_time", value=False)])


def test_only_time_that_goes_back_is_told(clockwork):
    clockwork.told.clear()
    clockwork.set_time(200)
    assert clockwork.told == []
    clockwork.set_time(150)
    assert clockwork.told == ["the time went back by 50.000 s"]


@pytest.mark.parametrize(("nanosec", "told"), [(910_000_000, []), (900_000_000, ["the time went back by 0.100 s"])])
def test_a_clock_that_wavers_does_not_jump(nanosec, told, clockwork):
    clockwork.set_time(300)
    clockwork.told.clear()
    clockwork.set_time(299, nanosec)
    assert clockwork.told == told


def test_another_clock_is_told(clockwork):
    clockwork.told.clear()
    clockwork.remote.node.set_parameters([Parameter("use_sim_time", value=False)])
    assert clockwork.told == ["the time comes from another clock now"]


def test_what_was_sent_before_is_told_by_its_stamp_until_that_time_has_come_again(clockwork):
    jumps = clockwork.jumps
    assert not jumps.is_outdated(100 * S)
    clockwork.set_time(20)
    assert jumps.is_outdated(100 * S)
    assert jumps.is_outdated(61 * S)
    assert not jumps.is_outdated(59 * S)
    assert not jumps.is_outdated(20 * S)
    clockwork.set_time(61)
    assert not jumps.is_outdated(100 * S)


def test_after_its_end_nothing_is_told(clockwork):
    clockwork.told.clear()
    clockwork.jumps.close()
    clockwork.set_time(50)
    assert clockwork.told == []
