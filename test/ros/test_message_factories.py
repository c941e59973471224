"""Messages of a replay are, byte for byte, those that the live node publishes."""

import json
import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from ament_index_python import get_package_share_directory
from radgs_reg.msg import VertebraPose
from rclpy.serialization import deserialize_message, serialize_message
from visualization_msgs.msg import Marker

from radgs_core import result_messages
from radgs_core.acquisition.xray_inbox import Acquisition
from radgs_core.geometry.camera import XrayCamera
from radgs_core.messages import markers, topics
from radgs_core.messages.recorded_messages import RecordedMessages
from radgs_core.registration.result import LevelResult, RegistrationResult
from radgs_core.result_messages import ResultMessages
from radgs_core.xray.observation import observe
from radgs_reg_ros.ros_messages import ROS_MESSAGES, message_class

RECORDED = RecordedMessages()
S = 1_000_000_000
SIZE = 64
MATRIX = np.array([[200.0, 0, 31.5], [0, 200.0, 31.5], [0, 0, 1]])
T_AP = np.array([[0.0, -1, 0, 0], [-1, 0, 0, 0], [0, 0, -1, 700], [0, 0, 0, 1]])
T_LATERAL = np.array([[0.0, 0, -1, 700], [1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 0, 1]])
INPUTS = [topics.IMAGE, topics.CAMERA_INFO, topics.TF_MESSAGE, topics.INITIALPOSE, topics.CLOCK_MESSAGE]
KINDS = sorted({output.kind for output in ResultMessages(RECORDED, SimpleNamespace(levels={}), [], "").outputs})


def rigid(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    matrix = np.eye(4)
    matrix[:3, :3] = rotation * np.sign(np.linalg.det(rotation))
    matrix[:3, 3] = rng.uniform(-20, 20, 3)
    return matrix


def tetrahedron(seed: int) -> SimpleNamespace:
    """As much of a vertebra as messages need."""
    vertices = 10 * np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
    faces = np.array([[0, 1, 2], [0, 1, 3], [0, 2, 3], [1, 2, 3]], np.int32)
    return SimpleNamespace(T_ct_vertebra=rigid(seed), mesh_vertices_mm=vertices, mesh_faces=faces)


CASE = SimpleNamespace(levels={"T12": tetrahedron(1), "L1": tetrahedron(2), "L2": tetrahedron(4)})
NOISE = np.random.default_rng(0).integers(1, 60000, (SIZE, SIZE)).astype(np.uint16)
CAMERAS = {"ap": XrayCamera(SIZE, SIZE, MATRIX, T_AP), "lateral": XrayCamera(SIZE, SIZE, MATRIX, T_LATERAL)}
RESULT = RegistrationResult(
    "carm_base",
    {
        "T12": LevelResult("T12", "registered", "", rigid(3), 0.37, True, 12, {"ap": 0.81, "lateral": 0.77}),
        "L1": LevelResult("L1", "rejected", "it was not found: ¿qué?", np.eye(4), math.inf, False, 0, {}),
        "L2": LevelResult("L2", "rejected", "it is blurred.", rigid(5), 2.1, True, 9, {"ap": 0.3, "lateral": 0.4}),
    },
    np.eye(4),
    1.0,
    {},
    None,
    {view: observe(NOISE, camera) for view, camera in CAMERAS.items()},
)
ACQUISITION = Acquisition(
    stamp_ns=7 * S + 5,
    images={},
    cameras=CAMERAS,
    frames={"ap": "ap_optical", "lateral": "lateral_optical"},
    stamps_ns={"ap": 7 * S, "lateral": 7 * S + 5},
)


def on_the_wire(kind: str, message: object) -> bytes:
    """The bytes that rclpy sends, alignment gaps zeroed: Fast CDR leaves in them what was in memory before."""
    sent = serialize_message(message)
    zeroed = RECORDED.serialised(kind, RECORDED.read(kind, sent, ""))
    assert len(sent) == len(zeroed)
    return zeroed


def test_a_result_and_its_end_have_the_same_bytes_live_and_recorded():
    live = ResultMessages(ROS_MESSAGES, CASE, ["T12", "L1", "L2"], "carm_base")
    recorded = ResultMessages(RECORDED, CASE, ["T12", "L1", "L2"], "carm_base")
    sent, written = (
        [
            messages.static_frames(3 * S),
            messages.no_markers(),
            *messages.of(RESULT, ACQUISITION),
            *messages.pictures(RESULT, ACQUISITION),
            *messages.nothing(8 * S),
        ]
        for messages in (live, recorded)
    )
    assert [message.output.topic for message in sent] == [
        "/tf_static",
        "markers",
        "/tf",
        "vertebra_T12/measured_cp",
        "vertebra_poses",
        "markers",
        "ap/overlay",
        "lateral/overlay",
        "vertebra_poses",
        "markers",
        "ap/overlay",
        "lateral/overlay",
    ]
    for one, other in zip(sent, written, strict=True):
        assert one.output == other.output
        kind = other.output.kind
        assert on_the_wire(kind, one.message) == RECORDED.serialised(kind, other.message), one.output.topic
        assert one.output in live.outputs


@pytest.mark.parametrize("kind", sorted({*KINDS, *INPUTS, "visualization_msgs/msg/Marker"}))
def test_what_nobody_fills_in_has_the_definition_s_defaults(kind):
    assert RECORDED.serialised(kind, RECORDED.make(kind)) == on_the_wire(kind, message_class(kind)())


def test_defaults_inside_a_list():
    array = "radgs_reg/msg/VertebraPoseArray"
    recorded = RECORDED.make(array, vertebrae=[RECORDED.make("radgs_reg/msg/VertebraPose", label="L1")])
    (level,) = deserialize_message(bytes(RECORDED.serialised(array, recorded)), message_class(array)).vertebrae
    assert level == VertebraPose(label="L1")


@pytest.mark.parametrize("kind", KINDS)
def test_recorded_types_have_the_hash_that_they_have_on_the_wire(kind):
    package, _, name = kind.split("/")
    description = json.loads(
        (Path(get_package_share_directory(package)) / "msg" / f"{name}.json").read_text(encoding="utf-8")
    )
    hashes = {entry["type_name"]: entry["hash_string"] for entry in description["type_hashes"]}
    assert RECORDED.types.hash_rihs01(kind) == hashes[kind]


def test_constants_are_those_of_the_definitions():
    assert (result_messages.REJECTED, result_messages.REGISTERED) == (VertebraPose.REJECTED, VertebraPose.REGISTERED)
    for name in ("TEXT_VIEW_FACING", "TRIANGLE_LIST", "ADD", "DELETE", "DELETEALL"):
        assert getattr(markers, name) == getattr(Marker, name)
