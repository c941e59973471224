"""The substitute for tf2_ros, over real topics."""

import threading

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Quaternion, Transform, TransformStamped, Vector3
from std_msgs.msg import Header
from tf2_msgs.msg import TFMessage

from radgs_core.registration.pipeline import InputError
from radgs_reg_ros import qos
from radgs_reg_ros.rig.remote import Remote
from radgs_reg_ros.tf_buffer_topics import TopicTfBuffer
from radgs_reg_ros.tf_tree import TransformUnavailable

S = 1_000_000_000
LONG = 20.0


@pytest.fixture(scope="module")
def broadcaster(domain):
    with Remote(domain, "broadcaster") as other:
        yield other


@pytest.fixture
def buffer(remote):
    buffer = TopicTfBuffer(remote.node)
    yield buffer
    buffer.close()


def stamped(parent: str, child: str, second: int, x_m: float, w: float = 1.0) -> TFMessage:
    transform = Transform(translation=Vector3(x=x_m), rotation=Quaternion(x=0.0, y=0.0, z=0.0, w=w))
    header = Header(stamp=Time(sec=second), frame_id=parent)
    return TFMessage(transforms=[TransformStamped(header=header, child_frame_id=child, transform=transform)])


def test_a_lookup_waits_for_the_transform(buffer, broadcaster):
    publisher = broadcaster.publisher(TFMessage, "/tf", qos.tf())
    found: list[np.ndarray] = []
    waiting = threading.Thread(target=lambda: found.append(buffer.lookup("base", "ap", 3 * S, LONG)))
    waiting.start()
    publisher.publish(stamped("base", "ap", 2, 0.1))
    publisher.publish(stamped("base", "ap", 4, 0.3))
    waiting.join(LONG)
    assert found[0][0, 3] == pytest.approx(200.0), "mm, half-way between the samples"


def test_a_late_buffer_gets_static_transforms(remote, broadcaster):
    publisher = broadcaster.node.create_publisher(TFMessage, "/tf_static", qos.tf_static_out())
    publisher.publish(stamped("base", "late", 2, 0.5))
    buffer = TopicTfBuffer(remote.node)
    assert buffer.lookup("base", "late", 99 * S, LONG)[0, 3] == 500.0
    buffer.close()


def test_a_transform_that_does_not_come_is_an_error(buffer):
    with pytest.raises(TransformUnavailable, match="nowhere"):
        buffer.lookup("base", "nowhere", S, 0.0)


def test_what_is_not_rigid_is_not_taken_and_named(buffer, broadcaster):
    publisher = broadcaster.publisher(TFMessage, "/tf_static", qos.tf_static_out())
    publisher.publish(stamped("base", "bent", 2, 0.5, w=1.4))
    with pytest.raises(InputError, match=r"base <- bent is not a rigid transform.*norm 1\.4"):
        buffer.lookup("base", "bent", 2 * S, LONG)
    publisher.publish(stamped("base", "bent", 2, 0.5))
    broadcaster.wait_for(lambda: resolves(buffer, "bent"), "the corrected transform", LONG)


def resolves(buffer: TopicTfBuffer, frame: str) -> bool:
    try:
        buffer.lookup("base", frame, 2 * S, 0.0)
    except InputError:
        return False
    return True
