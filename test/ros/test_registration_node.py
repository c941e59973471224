"""Simulator and registration node as two processes; this one is the robot that reads the result."""

import numpy as np
import pytest
from geometry_msgs.msg import Pose, PoseStamped, PoseWithCovarianceStamped
from lifecycle_msgs.msg import Transition
from radgs_reg.msg import VertebraPose, VertebraPoseArray
from rcl_interfaces.srv import SetParameters
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, ReliabilityPolicy
from sensor_msgs.msg import Image
from small_case import LEVELS
from tf2_msgs.msg import TFMessage
from visualization_msgs.msg import Marker, MarkerArray

from radgs_core.acquisition.pairing import VIEWS
from radgs_core.case import Case
from radgs_core.messages.markers import CELL_MM
from radgs_core.messages.stamps import nanoseconds, seconds_text
from radgs_core.messages.transforms import matrix_from_pose, matrix_from_transform
from radgs_reg_ros import qos
from radgs_reg_ros.rig.remote import Remote
from radgs_reg_ros.tf_buffer_topics import TopicTfBuffer

REGISTRATION, SIMULATOR = "/registration_node", "/carm_simulator_node"
SIZE, PIXEL_MM, PHOTONS = 128, 2.4, 20_000.0
"""Small images keep the tests short; they have less noise than real ones, so that every level is registered."""
INPUTS = [f"{view}/{name}" for view in VIEWS for name in ("image", "camera_info")]
LONG = 120.0


class Robot:
    """Listens to all that the nodes publish."""

    def __init__(self, remote: Remote) -> None:
        self.remote = remote
        self.tf = remote.listen(TFMessage, "/tf", qos.tf())
        self.tf_static = remote.listen(TFMessage, "/tf_static", qos.tf_static_in())
        self.poses = remote.listen(VertebraPoseArray, "/vertebra_poses", qos.last_result())
        self.truth = remote.listen(VertebraPoseArray, "/ground_truth/vertebra_poses", qos.last_result())
        self.overlays = {view: remote.listen(Image, f"/{view}/overlay", qos.last_result()) for view in VIEWS}
        self.markers = remote.listen(MarkerArray, "/markers", qos.last_result())
        self.measured = {
            level: remote.listen(PoseStamped, f"/vertebra_{level}/measured_cp", qos.events()) for level in LEVELS
        }
        self.buffer = TopicTfBuffer(remote.node)

    def expose(self, diagnostics) -> VertebraPoseArray:
        """A new exposure that has arrived at the registration node; returns its truth."""
        answer = self.remote.trigger(f"{SIMULATOR}/expose", LONG)
        assert answer.success, answer.message
        truth = self.remote.wait_for(
            lambda: next((t for t in self.truth if seconds_text(nanoseconds(t.header.stamp)) in answer.message), None),
            "the truth of this exposure",
            20.0,
        )
        stamp = seconds_text(nanoseconds(truth.header.stamp))
        diagnostics.wait_for_value("pair", "stamp", lambda value: value == stamp)
        return truth

    def give_start(self, T_base_ct: Pose, diagnostics, since: int = 0) -> None:
        """Publish an initialpose; returns when it is taken."""
        message = PoseWithCovarianceStamped()
        message.header.frame_id = "carm_base"
        message.pose.pose = T_base_ct
        self.remote.publisher(PoseWithCovarianceStamped, "/initialpose", qos.events()).publish(message)
        diagnostics.wait_for_value("initialpose", "frame", lambda frame: frame == "carm_base", since)

    def result_of(self, truth: VertebraPoseArray) -> VertebraPoseArray:
        """The result that carries the stamp of this exposure."""
        return self.remote.wait_for(
            lambda: next((p for p in self.poses if p.header.stamp == truth.header.stamp), None), "the result", LONG
        )

    def markers_of(self, truth: VertebraPoseArray, kind: int) -> list[Marker]:
        """What is shown of the result that carries the stamp of this exposure."""
        shown = self.remote.wait_for(
            lambda: [m for array in self.markers for m in array.markers if m.header.stamp == truth.header.stamp],
            "markers",
            20.0,
        )
        return [marker for marker in shown if (marker.type, marker.action) == (kind, Marker.ADD)]

    def frames_of(self, truth: VertebraPoseArray) -> dict[str, np.ndarray]:
        """Frames of vertebrae received on /tf with the stamp of this exposure."""
        return {
            t.child_frame_id: matrix_from_transform(t.transform, t.child_frame_id)
            for message in self.tf
            for t in message.transforms
            if t.header.stamp == truth.header.stamp and t.child_frame_id.startswith("vertebra")
        }


@pytest.fixture(scope="module")
def nodes(start_node, remote, case_folder):
    processes = [
        start_node(
            "carm_simulator_node",
            case=str(case_folder),
            image_size=SIZE,
            pixel_mm=PIXEL_MM,
            physics="plain",
            photons=PHOTONS,
        ),
        start_node("registration_node", case=str(case_folder)),
    ]
    remote.watch(*processes)
    return processes


@pytest.fixture(scope="module")
def robot(nodes, remote, diagnostics):
    robot = Robot(remote)
    remote.bring_up([REGISTRATION, SIMULATOR], LONG)
    for topic in INPUTS:  # an image without a subscriber is lost
        diagnostics.wait_for_value("subscribers", topic, lambda count: int(count) >= 1)
    return robot


@pytest.fixture(scope="module")
def first(robot, remote, diagnostics):
    """The truth of a first exposure that was registered from a start near it."""
    truth = robot.expose(diagnostics)
    robot.give_start(truth.vertebrae[0].ct_pose, diagnostics)
    answer = remote.trigger(f"{REGISTRATION}/register", LONG)
    assert answer.success, answer.message
    return truth


def test_every_level_has_a_frame_with_the_stamp_of_the_acquisition(robot, first):
    result = robot.result_of(first)
    assert result.header == first.header
    assert [pose.label for pose in result.vertebrae] == LEVELS
    assert all(pose.status == VertebraPose.REGISTERED and pose.reason == "" for pose in result.vertebrae)
    wanted = {f"vertebra_{level}" for level in LEVELS}
    robot.remote.wait_for(lambda: set(robot.frames_of(first)) == wanted, "frames", 20.0)
    parents = {t.header.frame_id for m in robot.tf for t in m.transforms if t.child_frame_id in wanted}
    assert parents == {"carm_base"}, "one frame, one parent"


def test_all_outputs_tell_the_same_pose(robot, first):
    stamp_ns = nanoseconds(first.header.stamp)
    for pose in robot.result_of(first).vertebrae:
        expected = matrix_from_pose(pose.pose, pose.label)
        T = robot.buffer.lookup("carm_base", f"vertebra_{pose.label}", stamp_ns, 20.0)
        np.testing.assert_allclose(T, expected, atol=1e-9)
        measured = robot.remote.wait_for(lambda label=pose.label: robot.measured[label], "measured_cp", 20.0)[0]
        assert measured.header == first.header
        assert measured.pose == pose.pose
        T_ct = robot.buffer.lookup("carm_base", f"vertebra_{pose.label}_ct", stamp_ns, 20.0)
        np.testing.assert_allclose(T_ct, matrix_from_pose(pose.ct_pose, pose.label), atol=1e-6)


def test_received_frames_lie_on_the_truth(robot, first, case_folder):
    case = Case.load(case_folder)
    for true_pose in first.vertebrae:
        points = case.levels[true_pose.label].surface_points_mm
        T = robot.buffer.lookup("carm_base", f"vertebra_{true_pose.label}_ct", nanoseconds(first.header.stamp), 20.0)
        T_true = matrix_from_pose(true_pose.ct_pose, "truth")
        difference = points @ (T - T_true)[:3, :3].T + (T - T_true)[:3, 3]
        assert np.linalg.norm(difference, axis=1).mean() < 2.0


def test_the_views_of_the_simulated_carm_see_the_spine(robot, first, case_folder):
    """Source above and at the patient's right, spine before both, some 70 cm away."""
    arcs = [t for message in robot.tf for t in message.transforms if t.child_frame_id == "carm_arc"]
    stamp_ns = nanoseconds(arcs[-1].header.stamp)
    T_base_ap = robot.buffer.lookup("carm_base", "ap_optical", stamp_ns, 20.0)
    T_base_lateral = robot.buffer.lookup("carm_base", "lateral_optical", stamp_ns, 20.0)
    np.testing.assert_allclose(T_base_ap[:3, 3], [0, 0, 700], atol=1e-6)
    np.testing.assert_allclose(T_base_lateral[:3, 3], [0, 700, 0], atol=1e-6)
    for pose in first.vertebrae:
        centre = np.r_[matrix_from_pose(pose.pose, "truth")[:3, 3], 1.0]
        for T_base_view in (T_base_ap, T_base_lateral):
            assert 600 < (np.linalg.inv(T_base_view) @ centre)[2] < 800


@pytest.mark.parametrize("view", ["ap", "lateral"])
def test_overlays_show_coloured_outlines_on_the_xray(view, robot, first):
    shown = robot.remote.wait_for(lambda: [o for o in robot.overlays[view] if o.width > 1], "an overlay", 20.0)
    overlay = shown[0]
    assert (overlay.encoding, overlay.width, overlay.height) == ("rgb8", SIZE, SIZE)
    assert (overlay.header.frame_id, overlay.header.stamp) == (f"{view}_optical", first.header.stamp)
    pixels = np.frombuffer(overlay.data, np.uint8).reshape(SIZE, SIZE, 3).astype(int)
    coloured = (np.ptp(pixels, axis=2) > 60).mean()
    assert 0.002 < coloured < 0.2, "lines, not areas"


def test_markers_are_surfaces_in_the_frames_of_the_levels(robot, first, case_folder):
    surfaces = robot.markers_of(first, Marker.TRIANGLE_LIST)
    assert [m.header.frame_id for m in surfaces] == [f"vertebra_{level}_ct" for level in LEVELS]
    case = Case.load(case_folder)
    for marker, level in zip(surfaces, LEVELS, strict=True):
        corners_mm = 1000 * np.array([[p.x, p.y, p.z] for p in marker.points])
        assert len(corners_mm) % 3 == 0 and 0 < len(corners_mm) < 3 * len(case.levels[level].mesh_faces)
        vertices = case.levels[level].mesh_vertices_mm
        np.testing.assert_allclose(
            [corners_mm.min(0), corners_mm.max(0)], [vertices.min(0), vertices.max(0)], atol=CELL_MM
        )


def test_markers_name_the_levels_and_their_expected_errors_beside_them(robot, first):
    labels = robot.markers_of(first, Marker.TEXT_VIEW_FACING)
    assert [m.header.frame_id for m in labels] == [f"vertebra_{level}" for level in LEVELS]
    poses = robot.result_of(first).vertebrae
    assert [m.text for m in labels] == [f"{p.label}  {1000 * p.expected_tre_m:.1f} mm" for p in poses]
    assert all(m.scale.z > 0 and m.color.a == 1.0 and m.pose.position.y > 0.03 for m in labels)


def test_every_marker_is_told_apart_from_the_others(robot, first):
    markers = robot.markers_of(first, Marker.TRIANGLE_LIST) + robot.markers_of(first, Marker.TEXT_VIEW_FACING)
    assert len({(marker.ns, marker.id) for marker in markers}) == 2 * len(LEVELS)


def test_late_joiners_get_the_last_result(robot, first, domain):
    with Remote(domain, "late") as late:
        poses = late.listen(VertebraPoseArray, "/vertebra_poses", qos.last_result())
        static = late.listen(TFMessage, "/tf_static", qos.tf_static_in())
        late.wait_for(lambda: poses, "the last result", 20.0)
        late.wait_for(lambda: len(static) == 2, "static frames of both nodes", 20.0)
        assert poses[-1] == robot.poses[-1]


RELIABLE, BEST_EFFORT = ReliabilityPolicy.RELIABLE, ReliabilityPolicy.BEST_EFFORT
LATCHED, VOLATILE = DurabilityPolicy.TRANSIENT_LOCAL, DurabilityPolicy.VOLATILE


@pytest.mark.parametrize(
    ("topic", "durability"),
    [
        ("/ap/image", VOLATILE),
        ("/lateral/camera_info", VOLATILE),
        ("/tf", VOLATILE),
        ("/tf_static", LATCHED),
        ("/vertebra_poses", LATCHED),
        ("/ground_truth/vertebra_poses", LATCHED),
        ("/markers", LATCHED),
        ("/ap/overlay", LATCHED),
        ("/vertebra_L1/measured_cp", VOLATILE),
    ],
)
def test_publishers_are_reliable_and_results_latched(topic, durability, robot, remote):
    infos = remote.node.get_publishers_info_by_topic(topic)
    assert infos
    assert {(i.qos_profile.reliability, i.qos_profile.durability) for i in infos} == {(RELIABLE, durability)}


def test_a_new_exposure_bends_the_spine_and_starts_from_the_last_result(robot, first, diagnostics):
    truth = robot.expose(diagnostics)
    assert nanoseconds(truth.header.stamp) > nanoseconds(first.header.stamp)
    for before, now in zip(first.vertebrae, truth.vertebrae, strict=True):
        assert before.pose != now.pose
    answer = robot.remote.trigger(f"{REGISTRATION}/register", LONG)
    assert "no start" not in answer.message
    assert robot.result_of(truth).header == truth.header


def test_after_activation_late_joiners_get_nothing_of_an_earlier_one(robot, domain):
    """It would pass for a result of this one."""
    assert robot.remote.transition(REGISTRATION, Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_ACTIVATE)
    with Remote(domain, "late") as late:
        poses = late.listen(VertebraPoseArray, "/vertebra_poses", qos.last_result())
        markers = late.listen(MarkerArray, "/markers", qos.last_result())
        overlays = {view: late.listen(Image, f"/{view}/overlay", qos.last_result()) for view in VIEWS}
        late.wait_for(lambda: poses and markers and all(overlays.values()), "what is latched", 20.0)
        assert [message.vertebrae for message in poses] == [[]]
        assert [marker.action for marker in markers[0].markers] == [Marker.DELETEALL]
        assert {(o.width, o.height, bytes(o.data)) for (o,) in overlays.values()} == {(1, 1, bytes(3))}


def test_it_registers_every_pair_when_told_so_and_ends_meanwhile(robot, nodes, remote, diagnostics, first):
    """Last in this file: it ends the process."""
    request = SetParameters.Request(parameters=[Parameter("auto_register", value=True).to_parameter_msg()])
    assert remote.call(SetParameters, f"{REGISTRATION}/set_parameters", request, 20.0).results[0].successful
    assert remote.transition(REGISTRATION, Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_CLEANUP)
    remote.bring_up([REGISTRATION], LONG)
    since = diagnostics.mark()
    for topic in INPUTS:
        diagnostics.wait_for_value("subscribers", topic, lambda count: int(count) >= 1, since)
    robot.give_start(first.vertebrae[0].ct_pose, diagnostics, since)

    truth = robot.expose(diagnostics)
    stamp = seconds_text(nanoseconds(truth.header.stamp))
    diagnostics.wait(
        "registration", lambda s: s.message == "registering" and s.values[0].value == stamp, "registering", since
    )
    registration = nodes[1]
    registration.interrupt()
    assert registration.wait(20.0) == 0
