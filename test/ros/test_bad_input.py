"""Whatever comes on the topics: one sentence in the diagnostics, no TF, and the node lives on."""

import itertools
import re
from collections.abc import Callable

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import PoseWithCovarianceStamped
from lifecycle_msgs.srv import GetState
from radgs_reg.msg import VertebraPoseArray
from tf2_msgs.msg import TFMessage
from xray_source import SIZE, Exposure, XraySource

from radgs_reg_ros import qos

NODE = "/registration_node"
STAMPS = itertools.count(1000)
Spoil = Callable[[Exposure], None]


@pytest.fixture(scope="module")
def node(start_node, remote, case_folder):
    process = start_node("registration_node", case=str(case_folder), tf_timeout_s=0.2)
    remote.watch(process)
    remote.bring_up([NODE])
    return process


@pytest.fixture(scope="module")
def source(node, remote):
    return XraySource(remote)


@pytest.fixture(scope="module")
def initialpose(node, remote):
    return remote.publisher(PoseWithCovarianceStamped, "/initialpose", qos.events())


@pytest.fixture(scope="module")
def tf(node, remote):
    return remote.listen(TFMessage, "/tf", qos.tf())


@pytest.fixture(scope="module")
def poses(node, remote):
    poses = remote.listen(VertebraPoseArray, "/vertebra_poses", qos.last_result())
    remote.wait_for(lambda: poses and not poses.pop().vertebrae, "that there is no result yet", 20.0)
    return poses


def vertebra_frames(tf: list[TFMessage]) -> list[str]:
    return [t.child_frame_id for message in tf for t in message.transforms if t.child_frame_id.startswith("vertebra")]


def is_active(remote) -> bool:
    return remote.call(GetState, f"{NODE}/get_state", GetState.Request(), 20.0).current_state.label == "active"


def refused(remote, sentence: str) -> None:
    """Wait until ~/register refuses with this sentence: messages of different topics come in any order."""

    def answer() -> bool:
        response = remote.trigger(f"{NODE}/register", 20.0)
        assert not response.success
        return re.search(sentence, response.message) is not None

    remote.wait_for(answer, f"~/register to say: {sentence}", 20.0)


def no_frame(exposure: Exposure) -> None:
    exposure.images["ap"].header.frame_id = ""


def no_stamp(exposure: Exposure) -> None:
    exposure.images["ap"].header.stamp.sec = 0


def colour(exposure: Exposure) -> None:
    exposure.set_pixels("lateral", np.zeros((SIZE, SIZE, 3), np.uint8), "rgb8")


def truncated(exposure: Exposure) -> None:
    exposure.cut_data("ap", 100)


def empty(exposure: Exposure) -> None:
    exposure.images["lateral"].height = 0


def short_step(exposure: Exposure) -> None:
    exposure.images["ap"].step = SIZE


def long_step(exposure: Exposure) -> None:
    exposure.images["ap"].step += 1


def nan(exposure: Exposure) -> None:
    pixels = np.ones((SIZE, SIZE), np.float32)
    pixels[3, 4] = np.nan
    exposure.set_pixels("lateral", pixels, "32FC1")


def singular_matrix(exposure: Exposure) -> None:
    exposure.infos["ap"].k = np.zeros(9)


def nan_matrix(exposure: Exposure) -> None:
    exposure.infos["ap"].k = np.full(9, np.nan)


def distortion(exposure: Exposure) -> None:
    exposure.infos["lateral"].d = [0.2, 0.0, 0.0, 0.0, 0.0]


def no_info_frame(exposure: Exposure) -> None:
    exposure.infos["lateral"].header.frame_id = ""


@pytest.mark.parametrize(
    ("spoil", "topic", "sentence"),
    [
        (no_frame, "ap/image", "ap/image: header.frame_id is empty"),
        (no_stamp, "ap/image", "ap/image: header.stamp is zero"),
        (colour, "lateral/image", "lateral/image: the encoding 'rgb8' .* mono16"),
        (truncated, "ap/image", "ap/image: the image has 8092 bytes, but .* 8192"),
        (empty, "lateral/image", "lateral/image: the image is empty"),
        (short_step, "ap/image", "ap/image: step is 64 bytes, but .* 128"),
        (long_step, "ap/image", "ap/image: the image has 8192 bytes, but .* 8256"),
        (nan, "lateral/image", "lateral/image: .* NaN or infinite pixels"),
        (singular_matrix, "ap/camera_info", "ap/camera_info: camera_matrix is singular"),
        (nan_matrix, "ap/camera_info", "ap/camera_info: camera_matrix must be 3x3 finite numbers"),
        (distortion, "lateral/camera_info", "lateral/camera_info: .* distortion"),
        (no_info_frame, "lateral/camera_info", "lateral/camera_info: header.frame_id is empty"),
    ],
)
def test_unusable_messages_are_reported_at_once(spoil: Spoil, topic, sentence, source, remote, diagnostics, tf, poses):
    since = diagnostics.mark()
    exposure = Exposure.good(next(STAMPS))
    spoil(exposure)
    source.send(exposure)
    diagnostics.wait(
        topic, lambda s: s.level == DiagnosticStatus.ERROR and re.search(sentence, s.message), sentence, since
    )
    refused(remote, sentence)  # and no older pair stands in for the unusable one
    assert is_active(remote)
    assert vertebra_frames(tf) == []
    assert poses == []


def other_size(exposure: Exposure) -> None:
    exposure.set_pixels("ap", np.ones((SIZE, SIZE // 2), np.uint16), "mono16")


def other_frame(exposure: Exposure) -> None:
    exposure.images["lateral"].header.frame_id = "somewhere_else"


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (other_size, "ap/image is 32x64 pixels, but ap/camera_info says 64x64"),
        (other_frame, "lateral/image has the frame_id somewhere_else, but lateral/camera_info has lateral_"),
    ],
)
def test_images_that_do_not_fit_their_camera_info_are_reported_at_once(
    spoil: Spoil, sentence, source, remote, diagnostics, tf, poses
):
    since = diagnostics.mark()
    exposure = Exposure.good(next(STAMPS))
    spoil(exposure)
    source.send(exposure)
    diagnostics.wait(
        "pair", lambda s: s.level == DiagnosticStatus.ERROR and re.search(sentence, s.message), sentence, since
    )
    refused(remote, sentence)
    assert is_active(remote)
    assert vertebra_frames(tf) == []
    assert poses == []


def missing_tf(exposure: Exposure) -> None:
    del exposure.transforms["lateral"]


def late_tf(exposure: Exposure) -> None:
    exposure.transforms["ap"].header.stamp.sec -= 5


def scaled_tf(exposure: Exposure) -> None:
    exposure.transforms["ap"].transform.rotation.w = 1.2


def nan_tf(exposure: Exposure) -> None:
    exposure.transforms["ap"].transform.translation.x = float("nan")


def same_direction(exposure: Exposure) -> None:
    exposure.transforms["lateral"].transform = exposure.transforms["ap"].transform


def all_good(exposure: Exposure) -> None:
    pass


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (missing_tf, "carm_base <- lateral_"),
        (late_tf, "carm_base <- ap_"),
        (scaled_tf, "carm_base <- ap_"),
        (nan_tf, "carm_base <- ap_"),
        (same_direction, "ap and lateral look only 0 degrees apart"),
        (all_good, "no start for the registration.*publish on initialpose"),
    ],
)
def test_what_only_a_registration_notices_ends_it(spoil: Spoil, sentence, source, remote, diagnostics, tf, poses):
    since = diagnostics.mark()
    exposure = Exposure.good(next(STAMPS))
    spoil(exposure)
    source.send(exposure)
    diagnostics.wait_for_value("pair", "stamp", lambda stamp: stamp.startswith(f"{exposure.stamp.sec}."))
    answer = remote.trigger(f"{NODE}/register", 20.0)
    assert not answer.success
    assert re.search(sentence, answer.message)
    diagnostics.wait("registration", lambda s: s.level == DiagnosticStatus.ERROR, sentence, since)
    errors = [s for s in diagnostics.entries("registration", since) if s.level == DiagnosticStatus.ERROR]
    assert errors[-1].message == answer.message
    assert is_active(remote)
    assert vertebra_frames(tf) == []
    assert poses == []


def no_pose_frame(message: PoseWithCovarianceStamped) -> None:
    message.header.frame_id = ""


def scaled_pose(message: PoseWithCovarianceStamped) -> None:
    message.pose.pose.orientation.w = 0.0


@pytest.mark.parametrize(
    ("spoil", "sentence"), [(no_pose_frame, "initialpose: header.frame_id is empty"), (scaled_pose, "not a rigid")]
)
def test_an_unusable_initialpose_is_reported_and_not_taken(spoil, sentence, initialpose, source, remote, diagnostics):
    since = diagnostics.mark()
    message = PoseWithCovarianceStamped()
    message.header.frame_id = "carm_base"
    spoil(message)
    initialpose.publish(message)
    diagnostics.wait(
        "initialpose", lambda s: s.level == DiagnosticStatus.ERROR and re.search(sentence, s.message), sentence, since
    )
    exposure = Exposure.good(next(STAMPS))
    source.send(exposure)
    diagnostics.wait_for_value("pair", "stamp", lambda stamp: stamp.startswith(f"{exposure.stamp.sec}."))
    assert "no start" in remote.trigger(f"{NODE}/register", 20.0).message


def test_an_initialpose_in_an_unknown_frame_is_reported(initialpose, source, remote, diagnostics, tf):
    since = diagnostics.mark()
    message = PoseWithCovarianceStamped()
    message.header.frame_id = "unknown_room"
    initialpose.publish(message)
    diagnostics.wait_for_value("initialpose", "frame", lambda frame: frame == "unknown_room", since)
    exposure = Exposure.good(next(STAMPS))
    source.send(exposure)
    diagnostics.wait_for_value("pair", "stamp", lambda stamp: stamp.startswith(f"{exposure.stamp.sec}."))
    answer = remote.trigger(f"{NODE}/register", 20.0)
    assert not answer.success
    assert "carm_base <- unknown_room" in answer.message
    assert vertebra_frames(tf) == []
