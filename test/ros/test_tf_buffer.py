"""Both sources of transforms, over real topics; tf2_ros only where ROS is installed."""

import re
import threading

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Quaternion, Transform, TransformStamped, Vector3
from rclpy.parameter import Parameter
from rosgraph_msgs.msg import Clock
from std_msgs.msg import Header
from tf2_msgs.msg import TFMessage

from radgs_core.acquisition.tf_tree import TransformUnavailable
from radgs_core.registration.pipeline import InputError
from radgs_reg_ros import qos
from radgs_reg_ros.rig.remote import Remote
from radgs_reg_ros.tf_buffer import TfBuffer
from radgs_reg_ros.tf_buffer_topics import TopicTfBuffer
from radgs_reg_ros.worker import JobCancelled

S = 1_000_000_000
LONG = 20.0


@pytest.fixture(scope="module")
def broadcaster(domain):
    with Remote(domain, "broadcaster") as other:
        yield other


def make_buffer(kind: str, remote: Remote) -> TfBuffer:
    if kind == "substitute":
        return TopicTfBuffer(remote.node)
    pytest.importorskip("tf2_ros", reason="tf2_ros is not installed; it comes with ROS, not from PyPI")
    from radgs_reg_ros.tf_buffer_tf2 import Tf2Buffer

    return Tf2Buffer(remote.node)


@pytest.fixture(params=["substitute", "tf2_ros"])
def buffer(request, remote):
    buffer = make_buffer(request.param, remote)
    yield buffer
    buffer.close()


def stamped(parent: str, child: str, second: int, x_m: float, w: float = 1.0) -> TFMessage:
    transform = Transform(translation=Vector3(x=x_m), rotation=Quaternion(x=0.0, y=0.0, z=0.0, w=w))
    header = Header(stamp=Time(sec=second), frame_id=parent)
    return TFMessage(transforms=[TransformStamped(header=header, child_frame_id=child, transform=transform)])


def test_a_lookup_waits_for_the_transform(buffer, broadcaster):
    publisher = broadcaster.publisher(TFMessage, "/tf", qos.tf())
    found: list[np.ndarray] = []
    frame = f"ap_{type(buffer).__name__}"
    waiting = threading.Thread(target=lambda: found.append(buffer.lookup("base", frame, 3 * S, LONG)))
    waiting.start()
    publisher.publish(stamped("base", frame, 2, 0.1))
    publisher.publish(stamped("base", frame, 4, 0.3))
    waiting.join(LONG)
    assert found[0][0, 3] == pytest.approx(200.0), "mm, half-way between the samples"


@pytest.mark.parametrize("kind", ["substitute", "tf2_ros"])
def test_a_late_buffer_gets_static_transforms(kind, remote, broadcaster):
    publisher = broadcaster.node.create_publisher(TFMessage, "/tf_static", qos.tf_static_out())
    publisher.publish(stamped("base", f"late_{kind}", 2, 0.5))
    buffer = make_buffer(kind, remote)
    assert buffer.lookup("base", f"late_{kind}", 99 * S, LONG)[0, 3] == 500.0
    buffer.close()


def test_a_transform_that_does_not_come_is_an_error(buffer):
    with pytest.raises(TransformUnavailable, match="nowhere"):
        buffer.lookup("base", "nowhere", S, 0.0)


class AskedEvent(threading.Event):
    """Says when somebody has looked whether it is set."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Event()

    def is_set(self) -> bool:
        self.asked.set()
        return super().is_set()


def test_a_lookup_that_is_cancelled_does_not_wait_any_more(buffer):
    cancelled, ended = AskedEvent(), []

    def look_up() -> None:
        with pytest.raises(JobCancelled):
            buffer.lookup("base", "nowhere", S, 3 * LONG, cancelled)
        ended.append(1)

    waiting = threading.Thread(target=look_up)
    waiting.start()
    assert cancelled.asked.wait(LONG), "it waits"
    assert not ended
    cancelled.set()
    waiting.join(LONG)
    assert ended


def test_what_is_not_rigid_is_not_taken_and_named(buffer, broadcaster):
    frame = f"bent_{type(buffer).__name__}"
    publisher = broadcaster.publisher(TFMessage, "/tf_static", qos.tf_static_out())
    publisher.publish(stamped("base", frame, 2, 0.5, w=1.4))
    sentence = rf"base <- {frame} is not a rigid transform.*norm 1\.4"
    broadcaster.wait_for(lambda: re.search(sentence, problem(buffer, frame)), sentence, LONG)
    publisher.publish(stamped("base", frame, 2, 0.5))
    broadcaster.wait_for(lambda: not problem(buffer, frame), "the corrected transform", LONG)


def test_a_refused_transform_takes_the_earlier_one_back(buffer, broadcaster):
    frame = f"slipped_{type(buffer).__name__}"
    sentence = rf"base <- {frame} is not a rigid transform"
    for topic, profile in (("/tf_static", qos.tf_static_out()), ("/tf", qos.tf())):
        publisher = broadcaster.publisher(TFMessage, topic, profile)
        publisher.publish(stamped("base", frame, 2, 0.5))
        broadcaster.wait_for(lambda: not problem(buffer, frame), f"the good transform on {topic}", LONG)
        publisher.publish(stamped("base", frame, 2, 0.5, w=1.4))
        broadcaster.wait_for(lambda: re.search(sentence, problem(buffer, frame)), sentence, LONG)
        publisher.publish(stamped("base", frame, 2, 0.7))
        np.testing.assert_allclose(healed(buffer, broadcaster, frame)[0, 3], 700.0)


def test_a_refused_transform_in_the_middle_of_the_chain_is_named(buffer, broadcaster):
    kind = type(buffer).__name__
    gantry, source = f"gantry_{kind}", f"source_{kind}"
    publisher = broadcaster.publisher(TFMessage, "/tf_static", qos.tf_static_out())
    publisher.publish(stamped(gantry, source, 2, 0.1))
    publisher.publish(stamped("base", gantry, 2, 0.2))
    broadcaster.wait_for(lambda: not problem(buffer, source), "the good chain", LONG)
    publisher.publish(stamped("base", gantry, 2, 0.2, w=1.4))
    sentence = rf"base <- {gantry} is not a rigid transform"
    broadcaster.wait_for(lambda: re.search(sentence, problem(buffer, source)), sentence, LONG)
    np.testing.assert_allclose(buffer.lookup(gantry, source, 2 * S, 0.0)[0, 3], 100.0)  # below it nothing is wrong


def test_a_moving_frame_is_looked_up_at_the_stamp(buffer, broadcaster):
    """A C-arm that is turned between shots: each image has the geometry of its own stamp."""
    frame = f"moving_{type(buffer).__name__}"
    publisher = broadcaster.publisher(TFMessage, "/tf", qos.tf())
    for second in (10, 11, 12):
        publisher.publish(stamped("base", frame, second, second / 10))
    np.testing.assert_allclose(buffer.lookup("base", frame, 11 * S + S // 2, LONG)[0, 3], 1150.0)
    np.testing.assert_allclose(buffer.lookup("base", frame, 10 * S, LONG)[0, 3], 1000.0)
    with pytest.raises(TransformUnavailable):
        buffer.lookup("base", frame, 13 * S, 0.1)


def test_what_is_forgotten_is_not_asked_for(buffer, broadcaster):
    """However late the static part of a chain comes: the moving part has lost the image's stamp."""
    kind = type(buffer).__name__
    arc, source = f"arc_{kind}", f"source_on_arc_{kind}"
    publisher = broadcaster.publisher(TFMessage, "/tf", qos.tf())
    for second in (5, 20, 21):  # tf2 forgets when the next one comes
        publisher.publish(stamped("base", arc, second, 0.1))
    broadcaster.publisher(TFMessage, "/tf_static", qos.tf_static_out()).publish(stamped(arc, source, 20, 0.2))
    np.testing.assert_allclose(buffer.lookup("base", source, 21 * S, LONG)[0, 3], 300.0)
    with pytest.raises(TransformUnavailable, match="older than 10 s TF forgets; take the X-rays"):
        buffer.lookup("base", source, 9 * S, 0.0)
    with pytest.raises(TransformUnavailable, match="publish it"):
        buffer.lookup("base", source, 22 * S, 0.0)


@pytest.fixture(params=["substitute", "tf2_ros"])
def simulated_buffer(request, domain):
    """A buffer of a node that takes its time from /clock."""
    with Remote(domain, "simulated") as simulated:
        simulated.node.set_parameters([Parameter("use_sim_time", value=True)])
        buffer = make_buffer(request.param, simulated)
        yield simulated, buffer
        buffer.close()


def test_when_time_goes_back_moving_frames_are_forgotten_and_static_ones_stay(simulated_buffer, broadcaster):
    simulated, buffer = simulated_buffer
    kind = type(buffer).__name__
    moving, still = f"wagon_{kind}", f"rail_{kind}"
    clock = broadcaster.publisher(Clock, "/clock", qos.events())
    publisher = broadcaster.publisher(TFMessage, "/tf", qos.tf())
    broadcaster.publisher(TFMessage, "/tf_static", qos.tf_static_out()).publish(stamped("base", still, 2, 0.5))

    def set_time(second: int) -> None:
        def told() -> bool:
            clock.publish(Clock(clock=Time(sec=second)))  # again and again: rclpy's clock takes it best effort
            return simulated.node.get_clock().now().nanoseconds == second * S

        simulated.wait_for(told, "the time", LONG)

    set_time(100)
    publisher.publish(stamped("base", moving, 2, 0.1))
    np.testing.assert_allclose(buffer.lookup("base", moving, 2 * S, LONG)[0, 3], 100.0)
    np.testing.assert_allclose(buffer.lookup("base", still, 2 * S, LONG)[0, 3], 500.0)
    set_time(1)
    with pytest.raises(TransformUnavailable):
        buffer.lookup("base", moving, 2 * S, 0.0)
    np.testing.assert_allclose(buffer.lookup("base", still, 2 * S, 0.0)[0, 3], 500.0)

    publisher.publish(stamped("base", moving, 100, 0.9))  # on its way since before
    publisher.publish(stamped("base", moving, 2, 0.3))
    np.testing.assert_allclose(buffer.lookup("base", moving, 2 * S, LONG)[0, 3], 300.0)
    set_time(100)
    publisher.publish(stamped("base", moving, 100, 0.7))
    np.testing.assert_allclose(buffer.lookup("base", moving, 100 * S, LONG)[0, 3], 700.0)


def healed(buffer: TfBuffer, broadcaster: Remote, frame: str) -> np.ndarray:
    """The frame's transform, once it can be looked up again."""
    broadcaster.wait_for(lambda: not problem(buffer, frame), "the corrected transform", LONG)
    return buffer.lookup("base", frame, 2 * S, 0.0)


def problem(buffer: TfBuffer, frame: str) -> str:
    """Why the frame cannot be looked up; empty when it can."""
    try:
        buffer.lookup("base", frame, 2 * S, 0.0)
    except InputError as error:
        return str(error)
    return ""
