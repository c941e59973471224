"""Each image keeps the geometry of its own stamp, however long its pair takes to come together."""

import threading

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from geometry_msgs.msg import TransformStamped
from std_msgs.msg import Header
from tf2_msgs.msg import TFMessage
from told_lock import ToldLock

from radgs_core.acquisition.pairing import Shot
from radgs_core.acquisition.tf_tree import TransformUnavailable
from radgs_core.messages.received_image import ReceivedImage
from radgs_reg_ros import qos
from radgs_reg_ros.rig.remote import Remote
from radgs_reg_ros.shot_placer import ShotPlacer
from radgs_reg_ros.tf_buffer_topics import TopicTfBuffer

S = 1_000_000_000
LONG = 20.0


@pytest.fixture(scope="module")
def carm(domain):
    with Remote(domain, "carm") as other:
        yield other


@pytest.fixture
def publisher(buffer, carm):
    return carm.publisher(TFMessage, "/tf", qos.tf())


@pytest.fixture
def buffer(remote):
    buffer = TopicTfBuffer(remote.node)
    yield buffer
    buffer.close()


@pytest.fixture
def told():
    """Seconds of shots, and why they have no place."""
    return []


@pytest.fixture
def placer(buffer, told):
    placer = ShotPlacer("carm_base", buffer, LONG, lambda shot, problem: told.append((shot.stamp_ns // S, problem)))
    yield placer
    placer.close()


def shot(view: str, second: int) -> Shot:
    return Shot(view, second * S, "optical", ReceivedImage(8, 8, lambda: np.zeros((8, 8), np.uint8)))


def place_carm(publisher, second: int, x_m: float) -> None:
    header = Header(stamp=Time(sec=second), frame_id="carm_base")
    transform = TransformStamped(header=header, child_frame_id="optical")
    transform.transform.translation.x = x_m
    publisher.publish(TFMessage(transforms=[transform]))


def test_a_shot_keeps_its_place_when_tf_has_forgotten_it(buffer, placer, publisher, remote):
    placer.expect(shot("ap", 100))
    place_carm(publisher, 100, 0.1)
    remote.wait_for(lambda: placer.placed("ap", "optical", 100 * S) is not None, "the place of the AP shot", LONG)
    place_carm(publisher, 400, 0.4)
    np.testing.assert_allclose(placer.place("lateral", "optical", 400 * S)[:3, 3], [400, 0, 0])
    with pytest.raises(TransformUnavailable):
        buffer.lookup("carm_base", "optical", 100 * S, 0.0)
    np.testing.assert_allclose(placer.place("ap", "optical", 100 * S)[:3, 3], [100, 0, 0])


def test_a_shot_that_a_newer_one_overtook_is_placed_when_asked_for(placer, publisher, remote):
    for second in (501, 502, 503):
        placer.expect(shot("ap", second))  # the first waits for its transform, the second is overtaken
    for second in (501, 502, 503):
        place_carm(publisher, second, second / 1000)
    np.testing.assert_allclose(placer.place("ap", "optical", 502 * S)[0, 3], 502)
    remote.wait_for(lambda: placer.placed("ap", "optical", 503 * S) is not None, "the place of the newest shot", LONG)


def test_why_a_shot_has_no_place_is_told(placer, told, remote):
    placer.timeout_s = 0.1
    placer.expect(shot("ap", 600))
    remote.wait_for(lambda: told, "why there is no place", LONG)
    ((second, problem),) = told
    assert second == 600
    assert isinstance(problem, TransformUnavailable)
    assert "carm_base <- optical" in str(problem)


def test_what_is_not_expected_is_told_too(told, remote):
    """Nobody looks at how a lookup ended."""

    class Broken(HeldBuffer):
        def lookup(self, *arguments: object) -> np.ndarray:
            raise KeyError("optical")

    placer = ShotPlacer("carm_base", Broken(), LONG, lambda shot, problem: told.append(problem))
    placer.expect(shot("ap", 600))
    remote.wait_for(lambda: told, "the error", LONG)
    assert isinstance(told[0], KeyError)
    placer.close()


def test_that_a_shot_is_placed_is_told(placer, told, publisher, remote):
    placer.expect(shot("lateral", 610))
    place_carm(publisher, 610, 0.1)
    remote.wait_for(lambda: told == [(610, None)], "its place", LONG)


class HeldBuffer:
    """In place of a buffer: lookups wait until they are let through."""

    def __init__(self) -> None:
        self.entered, self.open = threading.Event(), threading.Event()

    def lookup(
        self, target: str, source: str, stamp_ns: int, timeout_s: float, cancelled: threading.Event
    ) -> np.ndarray:
        self.entered.set()
        assert self.open.wait(timeout_s)
        return np.eye(4)


def test_a_shot_that_is_told_of_is_told_of_before_places_are_forgotten(remote):
    """Whoever forgets may rely on it that nothing is told later."""
    buffer, lock, done = HeldBuffer(), ToldLock(), []

    def tell(shot: Shot, problem: Exception | None) -> None:
        forgetting.start()
        remote.wait_for(lambda: lock.waited_for.is_set() or not forgetting.is_alive(), "the other thread", LONG)
        done.append("told")

    placer = ShotPlacer("carm_base", buffer, LONG, tell)
    placer._lock = lock
    forgetting = threading.Thread(target=lambda: (placer.forget(), done.append("forgotten")))
    placer.expect(shot("ap", 700))
    buffer.open.set()
    remote.wait_for(lambda: len(done) == 2, "both threads", LONG)
    assert done == ["told", "forgotten"]
    placer.close()


def test_places_are_forgotten_also_those_that_are_being_looked_up(remote):
    buffer, told = HeldBuffer(), []
    placer = ShotPlacer("carm_base", buffer, LONG, lambda shot, problem: told.append(shot.stamp_ns // S))
    placer.expect(shot("ap", 700))
    assert buffer.entered.wait(LONG)
    placer.forget()
    buffer.open.set()
    for second in (701, 702):
        placer.expect(shot("ap", second))
        remote.wait_for(lambda second=second: second in told, "the place of a later shot", LONG)
    assert told == [701, 702]
    assert placer.placed("ap", "optical", 700 * S) is None
    assert placer.placed("ap", "optical", 702 * S) is not None
    placer.forget()
    assert placer.placed("ap", "optical", 702 * S) is None
    placer.close()
