"""Another simulation moves the C-arm and says so on joint_states, as Gazebo does through its bridge."""

import math
from pathlib import Path

import numpy as np
import pytest
import yaml
from builtin_interfaces.msg import Time
from carm_user import LONG, SIMULATOR, CArmUser
from diagnostic_msgs.msg import DiagnosticStatus
from sensor_msgs.msg import JointState
from std_msgs.msg import Header
from tf2_msgs.msg import TFMessage

from radgs_core.messages.stamps import nanoseconds
from radgs_core.xray.carm import CArm
from radgs_reg_ros import qos

CARM = CArm(size=64, pixel_mm=4.8)
BRIDGE = Path(__file__).parents[2] / "config" / "gz_bridge.yaml"


@pytest.fixture(scope="module")
def user(start_node, remote, diagnostics, case_folder):
    options = {"image_size": CARM.size, "pixel_mm": CARM.pixel_mm, "physics": "plain"}
    remote.watch(start_node("carm_simulator_node", case=str(case_folder), joint_states="follow", **options))
    user = CArmUser(remote)
    remote.bring_up([SIMULATOR], LONG)
    diagnostics.wait_for_value("subscribers", "lateral/camera_info", lambda count: int(count) >= 1)
    return user


@pytest.fixture(scope="module")
def gazebo(user, remote):
    """Publishes joint states; the C-arm's are some among others."""
    # the user listens as well
    return remote.publisher(JointState, "/joint_states", qos.events(), subscribers=2)


def state(second: int, **positions: float) -> JointState:
    return JointState(
        header=Header(stamp=Time(sec=second)),
        name=["robot_elbow", *positions],
        position=[9.0, *positions.values()],
    )


def test_before_it_is_known_where_the_carm_is_nothing_is_exposed(user, remote):
    answer = remote.trigger(f"{SIMULATOR}/expose_ap", LONG)
    assert not answer.success
    assert answer.message == "nothing has come on joint_states, which says where the C-arm is; publish it."


def test_an_exposure_is_of_the_last_state_and_its_stamp(user, gazebo, diagnostics):
    gazebo.publish(state(1000, carm_orbital=math.radians(25.0), table_x=0.02))
    gazebo.publish(state(1001, carm_angular=math.radians(-5.0)))
    diagnostics.wait_for_value("carm", "carm_angular", lambda value: value == "-0.0873")
    truth = user.expose("expose_ap")
    assert nanoseconds(truth.header.stamp) == 1001 * 10**9
    T = user.buffer.lookup("carm_base", "carm_optical", 1001 * 10**9, 20.0)
    np.testing.assert_allclose(T, CARM.camera(25.0, -5.0).T_reference_camera, atol=1e-6)
    T = user.buffer.lookup("carm_base", "table_top", 1001 * 10**9, 20.0)
    np.testing.assert_allclose(T[:3, 3], [20.0, 0.0, 0.0], atol=1e-6)


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        (state(0, carm_orbital=0.0), "joint_states: header.stamp is zero"),
        (state(1002, carm_orbital=3.0), "joint_states: carm_orbital goes from -2.094 to 2.094 rad, not to 3"),
    ],
)
def test_states_that_cannot_be_are_reported(user, gazebo, diagnostics, message, sentence):
    since = diagnostics.mark()
    gazebo.publish(message)
    diagnostics.wait("carm", lambda s: s.level == DiagnosticStatus.ERROR and sentence in s.message, sentence, since)


def test_the_bridge_brings_what_the_node_takes(user, remote):
    bridged = yaml.safe_load(BRIDGE.read_text())
    node = SIMULATOR.strip("/")
    takes = dict(remote.node.get_subscriber_names_and_types_by_node(node, "/"))
    (states,) = (entry for entry in bridged if entry["gz_type_name"] == "gz.msgs.Model")
    assert takes["/" + states["ros_topic_name"]] == [states["ros_type_name"]]
    (clock,) = (entry for entry in bridged if entry["gz_type_name"] == "gz.msgs.Clock")
    assert (clock["ros_topic_name"], clock["ros_type_name"]) == ("/clock", "rosgraph_msgs/msg/Clock")
    assert "/carm/command" not in takes, "commands go to who moves the C-arm"


def test_frames_can_be_left_to_robot_state_publisher(user, remote, start_node, case_folder, diagnostics):
    tf = remote.listen(TFMessage, "/tf", qos.tf())
    static = remote.listen(TFMessage, "/tf_static", qos.tf_static_in())
    states = remote.listen(JointState, "/quiet/joint_states", qos.events())
    options = {"image_size": CARM.size, "pixel_mm": CARM.pixel_mm, "physics": "plain", "frame_prefix": "quiet/"}
    remote.watch(
        start_node("carm_simulator_node", "-r", "__ns:=/quiet", case=str(case_folder), publish_tf=False, **options)
    )
    remote.bring_up(["/quiet/carm_simulator_node"], LONG)
    remote.wait_for(lambda: len(states) > 5, "joint states", LONG)
    assert remote.node.count_publishers("/tf") == 1, "the other simulator's"
    assert not [t for m in [*tf, *static] for t in m.transforms if t.child_frame_id.startswith("quiet/")]
