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

MESSAGES = Path(__file__).resolve().parents[2] / "msg"


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


def test_tf_message_is_the_official_type_on_the_wire() -> None:
    share = Path(get_package_share_directory("tf2_msgs"))
    description = json.loads((share / "msg" / "TFMessage.json").read_text())
    hashes = {entry["type_name"]: entry["hash_string"] for entry in description["type_hashes"]}
    official = "RIHS01_e369d0f05a23ae52508854b66f6aa0437f3449d652e8cbf22d5abe85d020f087"
    assert hashes["tf2_msgs/msg/TFMessage"] == official
