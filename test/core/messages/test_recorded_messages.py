"""Messages without ROS: their definitions, what nobody fills in, and what cannot be read."""

from pathlib import Path

import numpy as np
import pytest

from radgs_core.errors import InputError
from radgs_core.messages import recorded_messages
from radgs_core.messages.headers import header_of
from radgs_core.messages.recorded_messages import OWN_MESSAGES, RecordedMessages, stamp_ns_of
from radgs_core.messages.topics import CAMERA_INFO, INITIALPOSE, TF_MESSAGE

ROOT = Path(__file__).parents[3]
MESSAGES = RecordedMessages()


def test_definitions_are_those_that_ros_is_built_with() -> None:
    shipped = Path(recorded_messages.__file__).parent / "definitions"
    assert {path.name for path in shipped.glob("*.msg")} == {f"{name}.msg" for name in OWN_MESSAGES}
    assert {path.name for path in (ROOT / "msg").iterdir()} == {f"{name}.msg" for name in OWN_MESSAGES}
    for path in (ROOT / "msg").iterdir():
        assert (shipped / path.name).read_bytes() == path.read_bytes(), f"copy {path} to {shipped}"


def test_what_nobody_fills_in_is_nothing_or_the_identity() -> None:
    info = MESSAGES.make(CAMERA_INFO, d=[0.5, 1], width=3)
    assert (info.header.frame_id, info.header.stamp.sec, info.height, info.width) == ("", 0, 0, 3)
    assert info.d.dtype == info.k.dtype == np.float64
    assert (info.d.tolist(), info.k.tolist(), info.roi.do_rectify) == ([0.5, 1.0], [0.0] * 9, False)
    level = MESSAGES.make("radgs_reg/msg/VertebraPose")
    assert (level.status, level.pose.orientation.w, level.pose.orientation.x) == (0, 1.0, 0.0)
    assert MESSAGES.make(TF_MESSAGE).transforms == []


def test_messages_of_one_kind_share_nothing() -> None:
    one, other = (MESSAGES.make("radgs_reg/msg/VertebraPoseArray") for _ in range(2))
    one.vertebrae.append(MESSAGES.make("radgs_reg/msg/VertebraPose"))
    one.header.stamp.sec = 5
    assert other.vertebrae == [] and other.header.stamp.sec == 0


@pytest.mark.parametrize("data", [b"", b"\0\1\0\0", b"\7\7\0\0\0\0\0\0", b"\0\1\0\0\xff\xff\xff\x7f" + bytes(40)])
def test_bytes_of_another_kind_are_one_sentence(data: bytes) -> None:
    with pytest.raises(InputError, match=r"the third message is no tf2_msgs/msg/TFMessage \(.*\); record it anew"):
        MESSAGES.read(TF_MESSAGE, data, "the third message")


@pytest.mark.parametrize("little_endian", [True, False])
@pytest.mark.parametrize("kind", [CAMERA_INFO, INITIALPOSE])
def test_a_stamp_is_read_without_the_rest(kind: str, little_endian: bool) -> None:
    for stamp_ns in (-1, 0, 1_700_000_000_987_654_321):
        message = MESSAGES.make(kind, header=header_of(MESSAGES, stamp_ns, "ap_optical"))
        data = bytes(MESSAGES.types.serialize_cdr(message, kind, little_endian=little_endian))
        assert stamp_ns_of(data, "") == stamp_ns_of(data[:12], "") == stamp_ns
    with pytest.raises(InputError, match="the message has 11 bytes, too few for a header"):
        stamp_ns_of(data[:11], "the message")
