"""Parameters that are read at configure change what the node does."""

import math

import numpy as np
import pytest
import rclpy
from builtin_interfaces.msg import Time
from carm_user import LONG, SIMULATOR, CArmUser
from diagnostic_msgs.msg import DiagnosticStatus
from held_registration import HeldNode, HeldRegistration, StillBuffer
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.signals import SignalHandlerOptions
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo
from small_case import LEVELS
from xray_source import Exposure

from radgs_core.messages.stamps import nanoseconds
from radgs_core.messages.transforms import matrix_from_pose
from radgs_reg_ros import qos, registration_node

SECOND = 1234
BEST_EFFORT = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)


@pytest.mark.parametrize(("asked", "view"), [("best_effort", "ap"), ("reliable", "lateral")])
def test_a_camera_that_offers_best_effort_is_heard_only_when_that_is_asked_for(
    asked, view, start_node, remote, diagnostics, case_folder
):
    node = f"/{asked}/registration_node"
    namespace = ("-r", f"__ns:=/{asked}")
    remote.watch(start_node("registration_node", *namespace, case=str(case_folder), image_reliability=asked))
    since = diagnostics.mark()
    camera = remote.node.create_publisher(CameraInfo, f"/{asked}/{view}/camera_info", BEST_EFFORT)
    remote.bring_up([node])
    info = Exposure.good(SECOND).infos[view]

    def told() -> list[DiagnosticStatus]:
        camera.publish(info)  # again and again: it may be lost
        return diagnostics.entries(f"{view}/camera_info", since)

    (first, *_) = remote.wait_for(told, "what the node makes of it", LONG)
    remote.node.destroy_publisher(camera)
    if asked == "best_effort":
        assert (first.level, first.message) == (DiagnosticStatus.OK, "64x64 in ap_1234")
    else:
        assert first.level == DiagnosticStatus.WARN and "set image_reliability to best_effort" in first.message


class Looking(HeldRegistration):
    """Remembers what the pixels mean."""

    intensities: dict[str, str]

    def register(self, images, geometry, *arguments, **options):
        self.intensities = {view: camera.intensity for view, camera in geometry.views.items()}
        return super().register(images, geometry, *arguments, **options)


@pytest.mark.parametrize("intensity", ["transmission", "attenuation"])
def test_what_pixels_mean_reaches_the_registration(intensity, domain, case_folder, monkeypatch):
    monkeypatch.setattr(registration_node, "SpineRegistration", Looking)
    monkeypatch.setattr(registration_node, "open_tf_buffer", lambda node: StillBuffer())
    rclpy.init(domain_id=domain, signal_handler_options=SignalHandlerOptions.NO)
    node = HeldNode()
    try:
        node.set_parameters([Parameter("intensity", value=intensity)])
        node.begin(case_folder)
        node.register(SECOND)
        assert node.registration.intensities == {"ap": intensity, "lateral": intensity}
    finally:
        node.end()
        rclpy.shutdown()


@pytest.fixture(scope="module")
def truth(start_node, remote, case_folder):
    """Of an exposure of a simulator that is centred on L1 and follows a clock that stands."""
    options = {"image_size": 64, "pixel_mm": 4.8, "physics": "plain", "motion_mm": 0.0, "motion_deg": 0.0}
    remote.watch(
        start_node("carm_simulator_node", case=str(case_folder), levels="L1", use_sim_time=True, **options),
    )
    user = CArmUser(remote)
    remote.bring_up([SIMULATOR], LONG)
    clock = remote.publisher(Clock, "/clock", qos.events())
    time = Clock(clock=Time(sec=SECOND))

    def stands() -> bool:
        clock.publish(time)  # again and again: rclpy's clock takes it best effort
        return any(nanoseconds(state.header.stamp) == nanoseconds(time.clock) for state in user.states) or (
            remote.trigger(f"{SIMULATOR}/expose", LONG).success
        )

    remote.wait_for(stands, "the clock at the simulator", LONG)
    return user.expose("expose")


def test_the_simulator_follows_the_clock(truth):
    assert (truth.header.stamp.sec, truth.header.stamp.nanosec) == (SECOND, 0)


def test_the_views_are_centred_on_the_levels_that_are_asked_for(truth):
    """All levels are there all the same."""
    off_mm = {v.label: np.linalg.norm(matrix_from_pose(v.pose, v.label)[:3, 3]) for v in truth.vertebrae}
    assert list(off_mm) == LEVELS
    assert math.isclose(off_mm["L1"], 0.0, abs_tol=1e-3)
    assert off_mm["T12"] > 15.0
