"""The simulated operating room as it is used: move the C-arm, expose, register, wait on TF, compare with the truth."""

import math

import numpy as np
import pytest
from carm_user import LONG, SIMULATOR, CArmUser
from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import PoseWithCovarianceStamped
from lifecycle_msgs.msg import Transition
from node_parameters import set_parameter
from small_case import LEVELS

from radgs_core.acquisition.pairing import VIEWS
from radgs_core.case import Case
from radgs_core.messages.images import pixels_from_image
from radgs_core.messages.stamps import nanoseconds, seconds_text
from radgs_core.messages.transforms import matrix_from_pose
from radgs_core.xray.carm import CArm
from radgs_core.xray.carm_joints import JOINTS, JointPositions
from radgs_core.xray.theatre import Theatre
from radgs_reg_ros import qos

REGISTRATION = "/registration_node"
CARM = CArm(size=128, pixel_mm=2.4)
PHYSICS = {"image_size": CARM.size, "pixel_mm": CARM.pixel_mm, "physics": "plain", "photons": 20_000.0}
LATERAL = math.pi / 2
INPUTS = [f"{view}/{name}" for view in VIEWS for name in ("image", "camera_info")]


@pytest.fixture(scope="module")
def user(start_node, remote, diagnostics, case_folder):
    """Both nodes active; one C-arm is turned between shots."""
    remote.watch(
        start_node("carm_simulator_node", case=str(case_folder), turning_deg_s=90.0, table_mm_s=100.0, **PHYSICS),
        start_node("registration_node", case=str(case_folder), sync_mode="latest"),
    )
    user = CArmUser(remote)
    remote.bring_up([REGISTRATION, SIMULATOR], LONG)
    for topic in INPUTS:
        diagnostics.wait_for_value("subscribers", topic, lambda count: int(count) >= 2)
    return user


def change(user: CArmUser, name: str, value: object) -> None:
    """Set a parameter of the simulator."""
    result = set_parameter(user.remote, SIMULATOR, name, value)
    assert result.successful, result.reason


def level_poses(truth) -> dict[str, np.ndarray]:
    """``T_reference_ct`` by level, mm."""
    return {level.label: matrix_from_pose(level.ct_pose, "truth") for level in truth.vertebrae}


def wait_for_pair(truth, diagnostics, since: int = 0) -> None:
    stamp = seconds_text(nanoseconds(truth.header.stamp))
    diagnostics.wait_for_value("pair", "stamp", lambda value: value == stamp, since)


def give_start(user: CArmUser, pose, frame: str, diagnostics, since: int = 0) -> None:
    message = PoseWithCovarianceStamped()
    message.header.frame_id = frame
    message.pose.pose = pose
    user.remote.publisher(PoseWithCovarianceStamped, "/initialpose", qos.events()).publish(message)
    diagnostics.wait_for_value("initialpose", "frame", lambda value: value == frame, since)


def registered_on(user: CArmUser, truth, reference: str, T_reference_base: np.ndarray, case: Case) -> None:
    """Register, wait for the frames on TF, and compare them with the truth."""
    answer = user.remote.trigger(f"{REGISTRATION}/register", LONG)
    assert answer.success, answer.message
    for level, T_base_ct in level_poses(truth).items():
        T = user.buffer.lookup(reference, f"vertebra_{level}_ct", nanoseconds(truth.header.stamp), 20.0)
        points = case.levels[level].surface_points_mm
        difference = T - T_reference_base @ T_base_ct
        assert np.linalg.norm(points @ difference[:3, :3].T + difference[:3, 3], axis=1).mean() < 2.0


def test_joint_states_are_those_of_the_robot_model(user):
    user.remote.wait_for(lambda: len(user.states) > 3, "joint states", LONG)
    assert all(state.name == list(JOINTS) for state in user.states)
    stamps = [nanoseconds(state.header.stamp) for state in user.states]
    assert stamps == sorted(set(stamps)), "no stamp twice, none earlier than the one before"


def assert_taken_from(user: CArmUser, view: str, truth, orbital_deg: float) -> None:
    """Whether TF has the C-arm at an angle at the stamp of its X-ray, and the image its frame."""
    T = user.buffer.lookup("carm_base", "carm_optical", nanoseconds(truth.header.stamp), 20.0)
    np.testing.assert_allclose(T, CARM.camera(orbital_deg).T_reference_camera, atol=1e-6)
    assert user.image(view, truth).header.frame_id == "carm_optical"


def test_one_carm_turned_between_shots_registers_on_the_truth(user, diagnostics, case_folder):
    user.move(carm_orbital=0.0)
    ap = user.expose("expose_ap")
    assert_taken_from(user, "ap", ap, 0.0)
    user.move(carm_orbital=LATERAL)
    lateral = user.expose("expose_lateral")
    assert_taken_from(user, "lateral", lateral, 90.0)
    for level, T in level_poses(ap).items():
        np.testing.assert_array_equal(level_poses(lateral)[level], T, "the spine stays as it is between the shots")
    wait_for_pair(lateral, diagnostics)
    give_start(user, lateral.vertebrae[0].ct_pose, "carm_base", diagnostics)
    registered_on(user, lateral, "carm_base", np.eye(4), Case.load(case_folder))


def test_both_views_at_once_are_turned_with_the_carm(user):
    user.move(carm_orbital=math.radians(20.0), carm_angular=math.radians(-10.0))
    truth = user.expose("expose")
    for view, orbital_deg in (("ap", 20.0), ("lateral", 110.0)):
        assert user.image(view, truth).header.frame_id == f"{view}_optical"
        T = user.buffer.lookup("carm_base", f"{view}_optical", nanoseconds(truth.header.stamp), 20.0)
        np.testing.assert_allclose(T, CARM.camera(orbital_deg, -10.0).T_reference_camera, atol=1e-6)


def test_the_spine_bends_when_it_is_told_to(user):
    before = user.expose("expose_ap")
    user.order("bend")
    after = user.expose("expose_ap")
    assert all(one.pose != other.pose for one, other in zip(before.vertebrae, after.vertebrae, strict=True))


def test_the_table_carries_the_patient(user):
    user.move(table_x=0.0, table_y=0.0, table_z=0.0)
    before = user.expose("expose_ap")
    user.move(table_x=0.03, table_y=-0.02, table_z=0.01)
    after = user.expose("expose_ap")
    for level, T in level_poses(before).items():
        difference = level_poses(after)[level] - T
        np.testing.assert_allclose(difference[:3, 3], [30.0, -20.0, 10.0], atol=1e-6)
        np.testing.assert_allclose(difference[:3, :3], 0.0, atol=1e-9)
    T = user.buffer.lookup("carm_base", "table_top", nanoseconds(after.header.stamp), 20.0)
    np.testing.assert_allclose(T[:3, 3], [30.0, -20.0, 10.0], atol=1e-6)
    user.move(table_x=0.0, table_y=0.0, table_z=0.0)


def test_an_xray_that_is_taken_on_the_move_shows_what_its_stamp_says(user, case_folder):
    for name in ("motion_mm", "motion_deg"):
        change(user, name, 0.0)
    user.order("bend")
    user.move(carm_orbital=0.0, carm_angular=0.0)
    change(user, "turning_deg_s", 4.0)
    user.command(carm_orbital=math.radians(110.0))
    user.remote.wait_for(lambda: user.states[-1].position[0] > math.radians(4.0), "the C-arm to move", LONG)
    truth = user.expose("expose_ap")
    assert user.states[-1].velocity[0] > 0, "it moves still"
    positions = user.positions(truth)
    assert 4.0 < positions.orbital_deg < 110.0
    T = user.buffer.lookup("carm_base", "carm_optical", nanoseconds(truth.header.stamp), 20.0)
    np.testing.assert_allclose(T, CARM.camera(positions.orbital_deg).T_reference_camera, atol=1e-6)

    case = Case.load(case_folder)
    theatre = Theatre(case, list(case.levels), CARM, "plain", seed=0)
    pixels = pixels_from_image(user.image("ap", truth), "ap/image")

    def difference(orbital_deg: float) -> float:
        expected = theatre.single("ap", JointPositions(orbital_deg), 1e7).images["ap"]
        return float(np.abs(np.log((pixels + 1.0) / (expected + 1.0))).mean())

    there = difference(positions.orbital_deg)
    assert there < 0.7 * min(difference(positions.orbital_deg - 3.0), difference(positions.orbital_deg + 3.0))
    for name, value in (("motion_mm", 3.0), ("motion_deg", 3.0), ("turning_deg_s", 90.0)):
        change(user, name, value)
    user.move(carm_orbital=0.0)


@pytest.mark.parametrize(
    ("joints", "sentence"),
    [
        ({"carm_orbital": 0.5, "carm_angular": 1.0}, "carm/command: carm_angular goes from -0.7854 to 0.7854 rad"),
        ({"table_x": math.nan}, "carm/command: table_x goes from -0.3 to 0.3 m, not to nan"),
        ({"carm_orbital": 0.5, "gantry": 0.0}, "carm/command: the C-arm has no joint 'gantry'"),
    ],
)
def test_a_command_that_cannot_be_followed_moves_nothing(user, diagnostics, joints, sentence):
    before, since = user.states[-1].position, diagnostics.mark()
    user.command(**joints)
    diagnostics.wait(
        "carm/command", lambda s: s.level == DiagnosticStatus.ERROR and sentence in s.message, sentence, since
    )
    count = len(user.states)
    user.remote.wait_for(lambda: len(user.states) > count + 2, "joint states", LONG)
    assert user.states[-1].position == before


def test_lost_xrays_leave_their_truth(user):
    change(user, "drop_share", 1.0)
    lost = user.expose_with_faults("expose")
    change(user, "drop_share", 0.0)
    arrived = user.expose("expose")
    for view in VIEWS:
        user.image(view, arrived)  # what the same publisher sent before has come, too
        assert user.of(user.images[view], lost) == []
        assert user.of(user.infos[view], lost) == []


def test_doubled_xrays_come_twice(user):
    change(user, "duplicate_share", 1.0)
    doubled = user.expose("expose")
    change(user, "duplicate_share", 0.0)
    next_one = user.expose("expose")
    for view in VIEWS:
        user.image(view, next_one)
        for received in (user.images[view], user.infos[view]):
            assert len(user.of(received, doubled)) == 2
            assert len(user.of(received, next_one)) == 1


def test_a_table_that_moves_between_the_shots_is_the_reference_frame(user, diagnostics, case_folder):
    remote = user.remote
    assert remote.transition(REGISTRATION, Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_CLEANUP)
    result = set_parameter(remote, REGISTRATION, "reference_frame", "table_top")
    assert result.successful, result.reason
    since = diagnostics.mark()
    remote.bring_up([REGISTRATION], LONG)
    for topic in INPUTS:
        diagnostics.wait_for_value("subscribers", topic, lambda count: int(count) >= 2, since)
    user.move(carm_orbital=0.0, table_x=0.0)
    user.expose("expose_ap")
    user.move(carm_orbital=LATERAL, table_x=0.03)
    truth = user.expose("expose_lateral")
    wait_for_pair(truth, diagnostics, since)
    T_table_base = user.buffer.lookup("table_top", "carm_base", nanoseconds(truth.header.stamp), 20.0)
    np.testing.assert_allclose(T_table_base[:3, 3], [-30.0, 0.0, 0.0], atol=1e-6)
    give_start(user, truth.vertebrae[0].ct_pose, "carm_base", diagnostics, since)
    registered_on(user, truth, "table_top", T_table_base, Case.load(case_folder))
    assert [level.label for level in truth.vertebrae] == LEVELS


def test_compressed_images_register_on_the_truth(user, diagnostics, case_folder):
    remote = user.remote
    for node in (REGISTRATION, SIMULATOR):
        assert remote.transition(node, Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_CLEANUP)
        result = set_parameter(remote, node, "image_transport", "compressed")
        assert result.successful, result.reason
    assert set_parameter(remote, REGISTRATION, "reference_frame", "carm_base").successful
    since = diagnostics.mark()
    remote.bring_up([REGISTRATION, SIMULATOR], LONG)
    for view in VIEWS:
        for topic, count in ((f"{view}/image/compressed", 1), (f"{view}/camera_info", 2)):
            diagnostics.wait_for_value("subscribers", topic, lambda value, count=count: int(value) >= count, since)
    truth = user.expose("expose")
    wait_for_pair(truth, diagnostics, since)
    for view in VIEWS:
        assert remote.node.count_publishers(f"/{view}/image") == 0, "one or the other"
        told = diagnostics.entries(f"{view}/image/compressed", since)[-1]
        assert told.message == f"{CARM.size}x{CARM.size} mono16; png compressed"
    give_start(user, truth.vertebrae[0].ct_pose, "carm_base", diagnostics, since)
    registered_on(user, truth, "carm_base", np.eye(4), Case.load(case_folder))
