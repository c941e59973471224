"""The simulator's own time, at any speed: C-arm, stamps and registration live in it."""

import math
import time

import numpy as np
import pytest
from carm_user import LONG, SIMULATOR, CArmUser, Received
from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import PoseWithCovarianceStamped
from lifecycle_msgs.msg import Transition
from node_parameters import set_parameter
from rclpy.qos import QoSProfile
from rosgraph_msgs.msg import Clock

from radgs_core.acquisition.pairing import VIEWS
from radgs_core.messages.stamps import nanoseconds, seconds_text
from radgs_core.messages.transforms import matrix_from_pose
from radgs_reg_ros import qos
from radgs_reg_ros.clock_publisher import ScaledTime

REGISTRATION = "/registration_node"
S = 1_000_000_000
FACTOR = 5.0
"""TF remembers ten seconds: two of real time, enough to look a frame up when its image comes."""


def test_a_new_speed_holds_from_then_on_and_time_does_not_jump():
    scaled = ScaledTime(100 * S, 7 * S, 2.0)
    assert [scaled.at(7 * S), scaled.at(10 * S)] == [100 * S, 106 * S]
    faster = scaled.with_factor(50.0, 10 * S)
    assert [faster.at(10 * S), faster.at(11 * S)] == [106 * S, 156 * S]
    assert faster.with_factor(0.0, 11 * S).at(1000 * S) == 156 * S


@pytest.fixture(scope="module")
def clock(remote) -> list[Received]:
    """What comes on /clock, and when."""
    received: list[Received] = []
    remote.node.create_subscription(
        Clock, "/clock", lambda m: received.append(Received(m, time.monotonic())), QoSProfile(depth=100)
    )
    return received


@pytest.fixture(scope="module")
def user(start_node, remote, clock, diagnostics, case_folder):
    options = {"image_size": 128, "pixel_mm": 2.4, "physics": "plain", "photons": 20_000.0, "turning_deg_s": 1.0}
    remote.watch(
        start_node(
            "carm_simulator_node",
            case=str(case_folder),
            use_sim_time=True,
            clock="publish",
            real_time_factor=FACTOR,
            **options,
        ),
        start_node("registration_node", case=str(case_folder), use_sim_time=True),
    )
    user = CArmUser(remote)
    remote.bring_up([SIMULATOR, REGISTRATION], LONG)
    for view in VIEWS:
        for name in ("image", "camera_info"):
            diagnostics.wait_for_value("subscribers", f"{view}/{name}", lambda count: int(count) >= 2)
    return user


def clock_ns(received: Received) -> int:
    return nanoseconds(received.message.clock)


def speed(remote, clock: list[Received]) -> float:
    """Seconds of /clock in one of real time, measured over two of these."""
    count = len(clock)
    remote.wait_for(lambda: len(clock) > count + 1 and clock[-1].at_s > clock[count].at_s + 2.0, "/clock", LONG)
    begin, end = clock[count], clock[-1]
    return (clock_ns(end) - clock_ns(begin)) / S / (end.at_s - begin.at_s)


def test_the_clock_runs_at_the_speed_that_is_asked_for_and_stands(user, remote, clock):
    assert speed(remote, clock) == pytest.approx(FACTOR, rel=0.3)
    assert set_parameter(remote, SIMULATOR, "real_time_factor", 0.5).successful
    assert speed(remote, clock) == pytest.approx(0.5, rel=0.3)
    assert set_parameter(remote, SIMULATOR, "real_time_factor", 0.0).successful
    assert speed(remote, clock) == 0.0
    assert set_parameter(remote, SIMULATOR, "real_time_factor", FACTOR).successful
    times = [clock_ns(received) for received in clock]
    assert times == sorted(times)


def test_the_carm_moves_in_that_time(user, clock):
    """A degree a second would take half a minute."""
    user.remote.wait_for(lambda: user.states, "joint states", LONG)
    begin = time.monotonic()
    user.move(carm_orbital=math.radians(30.0))
    assert time.monotonic() - begin < 15.0
    moving = [s for s in user.states if any(s.velocity)]
    assert nanoseconds(moving[-1].header.stamp) - nanoseconds(moving[0].header.stamp) < 31 * S
    user.move(carm_orbital=0.0)


def test_exposures_carry_that_time_and_register_in_it(user, clock, diagnostics):
    truth = user.expose("expose")
    stamp_ns = nanoseconds(truth.header.stamp)
    user.remote.wait_for(lambda: clock_ns(clock[-1]) > stamp_ns, "/clock beyond the exposure", LONG)
    assert clock_ns(clock[0]) < stamp_ns
    assert stamp_ns > time.time_ns() + S, "ahead of the system's time, which it began at"
    registered_on(user, truth, diagnostics)


def test_delayed_xrays_register_with_the_geometry_of_their_stamp(user, remote, clock, diagnostics):
    """The C-arm has moved on when they come; while time stands they do not."""

    def set_value(name: str, value: float) -> None:
        result = set_parameter(remote, SIMULATOR, name, value)
        assert result.successful, result.reason

    user.move(carm_orbital=0.0)
    set_value("real_time_factor", 0.0)
    set_value("delay_s", 4.0)
    truth = user.expose_with_faults("expose")
    user.command(carm_orbital=math.radians(10.0))
    diagnostics.wait("carm", lambda s: s.message == "moving", "a command while time stands")
    count = len(clock)
    remote.wait_for(lambda: len(clock) > count + 20, "/clock", LONG)
    came = [*user.images.values(), *user.infos.values()]
    assert not any(user.of(received, truth) for received in came)

    set_value("delay_s", 0.0)
    set_value("real_time_factor", 1.0)
    for received in came:
        remote.wait_for(lambda received=received: user.of(received, truth), "what was delayed", LONG)
    registered_on(user, truth, diagnostics)
    stamp_ns = nanoseconds(truth.header.stamp)
    late = remote.wait_for(
        lambda: [s for s in user.states if nanoseconds(s.header.stamp) >= stamp_ns + 4 * S], "joint states", LONG
    )
    assert user.positions(truth).orbital_deg == 0.0
    assert late[0].position[0] > math.radians(3.0)
    set_value("real_time_factor", FACTOR)
    user.move(carm_orbital=0.0)


def registered_on(user: CArmUser, truth, diagnostics) -> None:
    """Start at the truth, register the pair of an exposure, and compare its frames with the truth."""
    stamp_ns = nanoseconds(truth.header.stamp)
    text = seconds_text(stamp_ns)
    diagnostics.wait_for_value("pair", "stamp", lambda value: value == text)
    message = PoseWithCovarianceStamped()
    message.header.frame_id = "carm_base"
    message.pose.pose = truth.vertebrae[0].ct_pose
    user.remote.publisher(PoseWithCovarianceStamped, "/initialpose", qos.events()).publish(message)
    diagnostics.wait_for_value("initialpose", "frame", lambda frame: frame == "carm_base")
    answer = user.remote.trigger(f"{REGISTRATION}/register", LONG)
    assert answer.success, answer.message
    for level in truth.vertebrae:
        T = user.buffer.lookup("carm_base", f"vertebra_{level.label}", stamp_ns, 20.0)
        T_true = matrix_from_pose(level.pose, "truth")
        assert np.linalg.norm(T[:3, 3] - T_true[:3, 3]) < 3.0


def test_a_clock_of_its_own_needs_simulated_time(user, remote, diagnostics, start_node, case_folder):
    other = "/other/carm_simulator_node"
    start_node("carm_simulator_node", "-r", "__ns:=/other", case=str(case_folder), clock="publish")
    assert not remote.transition(other, Transition.TRANSITION_CONFIGURE)
    sentence = "the parameter clock is publish, but use_sim_time is false; set it to true."
    diagnostics.wait("lifecycle", lambda s: s.level == DiagnosticStatus.ERROR and s.message == sentence, sentence)


def test_without_a_clock_nothing_is_exposed(remote, diagnostics, start_node, case_folder, user):
    """Last in this file: the clock has ended."""
    assert remote.transition(SIMULATOR, Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_CLEANUP)
    other = "/late/carm_simulator_node"
    options = {"image_size": 64, "pixel_mm": 4.8, "physics": "plain"}
    remote.watch(
        start_node("carm_simulator_node", "-r", "__ns:=/late", case=str(case_folder), use_sim_time=True, **options)
    )
    remote.bring_up([other], LONG)
    answer = remote.trigger(f"{other}/expose", LONG)
    assert not answer.success
    assert answer.message == "the clock stands at zero: use_sim_time is set, but nobody publishes /clock."
