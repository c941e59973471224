"""A case with networks needs no initialpose: every pair registers, or every level is rejected with the reason."""

import dataclasses
import math
import os
from pathlib import Path

import numpy as np
import pytest
from geometry_msgs.msg import PoseWithCovarianceStamped
from radgs_reg.msg import VertebraPose, VertebraPoseArray
from sensor_msgs.msg import Image
from small_case import LEVELS
from tf2_msgs.msg import TFMessage
from visualization_msgs.msg import Marker, MarkerArray

from radgs_core.acquisition.pairing import VIEWS
from radgs_core.case import Case
from radgs_core.messages.stamps import nanoseconds, seconds_text
from radgs_reg_ros import qos
from radgs_reg_ros.rig.node_process import NodeProcess
from radgs_reg_ros.rig.remote import Remote

NODE, SIMULATOR = "/registration_node", "/carm_simulator_node"
LONG = 120.0


@pytest.fixture(scope="module")
def networks_folder(case_folder, untrained_networks, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("networks") / "case"
    dataclasses.replace(Case.load(case_folder), networks=untrained_networks(LEVELS)).save(folder)
    return folder


@pytest.fixture(scope="module")
def simulator(start_node, remote, networks_folder):
    """Small images without much noise."""
    options = {"image_size": 128, "pixel_mm": 2.4, "physics": "plain", "photons": 20_000.0}
    remote.watch(start_node("carm_simulator_node", case=str(networks_folder), **options))
    remote.bring_up([SIMULATOR], LONG)
    return SIMULATOR


@pytest.fixture
def node(request, domain, networks_folder, tmp_path, monkeypatch):
    """The module ``request.param`` as registration_node; it registers every pair by itself."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]))
    parameters = {"case": str(networks_folder), "auto_register": True}
    with NodeProcess(request.param, domain, tmp_path / "log", parameters) as process:
        with Remote(domain, "starter") as starter:  # the one for all would not forget a process that has ended
            starter.watch(process)
            starter.bring_up([NODE], LONG)
        yield process


def exposed(remote, diagnostics, since: int) -> int:
    """Have X-rays taken; returns their stamp."""
    inputs = [f"{view}/{name}" for view in VIEWS for name in ("image", "camera_info")]
    for topic in inputs:
        diagnostics.wait_for_value("subscribers", topic, lambda count: int(count) >= 1, since)
    truth = remote.listen(VertebraPoseArray, "/ground_truth/vertebra_poses", qos.last_result())
    answer = remote.trigger(f"{SIMULATOR}/expose", LONG)
    assert answer.success, answer.message
    stamps = remote.wait_for(
        lambda: [s for t in truth if seconds_text(s := nanoseconds(t.header.stamp)) in answer.message], "truth", LONG
    )
    return stamps[0]


def searches(node: NodeProcess) -> int:
    """How often finding_node has looked for the levels."""
    return node.log.read_text().count("levels looked for")


def result_at(remote, poses: list[VertebraPoseArray], stamp_ns: int) -> VertebraPoseArray:
    return remote.wait_for(
        lambda: next((p for p in poses if nanoseconds(p.header.stamp) == stamp_ns), None), "the result", LONG
    )


@pytest.mark.parametrize("node", ["radgs_reg_ros.registration_node"], indirect=True)
def test_levels_that_are_not_found_are_rejected_and_leave_no_trace(simulator, node, remote, diagnostics):
    """The networks are untrained."""
    poses = remote.listen(VertebraPoseArray, "/vertebra_poses", qos.last_result())
    markers = remote.listen(MarkerArray, "/markers", qos.last_result())
    overlays = {view: remote.listen(Image, f"/{view}/overlay", qos.last_result()) for view in VIEWS}
    tf = remote.listen(TFMessage, "/tf", qos.tf())
    diagnostics.wait_for_value("start", "source", lambda source: source == "networks")
    stamp_ns = exposed(remote, diagnostics, diagnostics.mark())
    result = result_at(remote, poses, stamp_ns)
    assert [level.label for level in result.vertebrae] == LEVELS
    for level in result.vertebrae:
        assert level.status == VertebraPose.REJECTED and level.reason.endswith(".")
        for pose in (level.pose, level.ct_pose):
            position, q = pose.position, pose.orientation
            assert np.isnan([position.x, position.y, position.z, q.x, q.y, q.z, q.w]).all(), "no place at all"
        assert math.isinf(level.expected_tre_m)
        assert math.isnan(level.similarity_ap) and math.isnan(level.similarity_lateral)
    remote.wait_for(
        lambda: (
            markers and len(markers[-1].markers) > 1 and all(each and each[-1].width > 1 for each in overlays.values())
        ),
        "markers and overlays",
        20.0,
    )
    assert [(marker.ns, marker.action) for marker in markers[-1].markers] == [
        (f"vertebra_{level}", Marker.DELETE) for level in LEVELS for _ in ("surface", "label")
    ]
    for each in overlays.values():
        pixels = np.frombuffer(each[-1].data, np.uint8).reshape(128, 128, 3)
        assert (np.ptp(pixels, axis=2) == 0).all(), "the X-ray alone, without outlines"
    assert not [t for message in tf for t in message.transforms if t.child_frame_id.startswith("vertebra")]
    told = diagnostics.wait("registration", lambda s: "registered 0 of 2" in s.message, "the verdict")
    assert f"rejected T12, L1: {result.vertebrae[0].reason}" in told.message, "once"


@pytest.mark.parametrize("node", ["finding_node"], indirect=True)
def test_every_pair_registers_without_an_initialpose_and_from_one_that_is_given(simulator, node, remote, diagnostics):
    poses = remote.listen(VertebraPoseArray, "/vertebra_poses", qos.last_result())
    since = diagnostics.mark()
    diagnostics.wait_for_value("start", "source", lambda source: source == "networks", since)
    warming_up = searches(node)
    for _ in range(2):
        result = result_at(remote, poses, exposed(remote, diagnostics, since))
        assert [level.status for level in result.vertebrae] == [VertebraPose.REGISTERED] * len(LEVELS)
    assert searches(node) == warming_up + 2, "in every pair anew"

    far = PoseWithCovarianceStamped()
    far.header.frame_id = "carm_base"
    far.pose.pose.position.z = 5.0
    remote.publisher(PoseWithCovarianceStamped, "/initialpose", qos.events()).publish(far)
    diagnostics.wait_for_value("start", "source", lambda source: source == "initialpose", since)
    result = result_at(remote, poses, exposed(remote, diagnostics, since))
    assert [level.status for level in result.vertebrae] == [VertebraPose.REJECTED] * len(LEVELS), "it starts there"
    assert searches(node) == warming_up + 2, "with a start nothing is searched"
