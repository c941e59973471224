"""The messages: what other people's nodes and recordings hold on to."""

import json
import math
from pathlib import Path

import pytest
from ament_index_python import get_package_share_directory
from geometry_msgs.msg import Pose
from radgs_reg.msg import VertebraPose, VertebraPoseArray
from rclpy.serialization import deserialize_message, serialize_message
from rosidl_adapter.parser import parse_message_file

from radgs_core.messages.recorded_messages import RecordedMessages

MESSAGES = Path(__file__).resolve().parents[2] / "msg"
TYPE_HASHES = {
    "radgs_reg/msg/VertebraPose": "RIHS01_471831e71aa0b07aa5dd8b4451f9d608d491835e4dca513c137b48e0a8650947",
    "radgs_reg/msg/VertebraPoseArray": "RIHS01_10ca8996b05eb65d2e374ab745725c548d850cae0f7902bb26a2c1d445487aab",
    "tf2_msgs/msg/TFMessage": "RIHS01_e369d0f05a23ae52508854b66f6aa0437f3449d652e8cbf22d5abe85d020f087",
}
"""Nodes understand each other, and recordings, by these; that of TFMessage is the official one."""


def test_unfilled_message_reads_as_rejected() -> None:
    assert VertebraPose().status == VertebraPose.REJECTED
    assert VertebraPose.REGISTERED != VertebraPose.REJECTED


def test_round_trip() -> None:
    level = VertebraPose(label="T12", status=VertebraPose.REGISTERED, ct_pose=Pose(), expected_tre_m=math.nan)
    level.similarity_ap, level.similarity_lateral, level.iterations, level.converged = 0.5, -0.25, 30, True
    sent = VertebraPoseArray(vertebrae=[level, VertebraPose(label="L1", reason="not in the image")])
    sent.header.frame_id = "carm_base"
    received = deserialize_message(serialize_message(sent), VertebraPoseArray)
    assert math.isnan(received.vertebrae[0].expected_tre_m)
    received.vertebrae[0].expected_tre_m = level.expected_tre_m = 0.0
    assert received == sent


@pytest.mark.parametrize("message", ["VertebraPose", "VertebraPoseArray"])
def test_every_field_is_explained(message: str) -> None:
    specification = parse_message_file("radgs_reg", str(MESSAGES / f"{message}.msg"))
    unexplained = [field.name for field in specification.fields if not field.annotations.get("comment")]
    assert unexplained == []


@pytest.mark.parametrize("kind", TYPE_HASHES)
def test_generated_messages_have_their_type_hash(kind: str) -> None:
    package, folder, name = kind.split("/")
    share = Path(get_package_share_directory(package))
    description = json.loads((share / folder / f"{name}.json").read_text())
    hashes = {entry["type_name"]: entry["hash_string"] for entry in description["type_hashes"]}
    assert hashes[kind] == TYPE_HASHES[kind], "the message has changed: other people's nodes do not understand it"


@pytest.mark.parametrize("kind", TYPE_HASHES)
def test_messages_without_ros_have_the_same_type_hash(kind: str) -> None:
    assert RecordedMessages().types.hash_rihs01(kind) == TYPE_HASHES[kind]
