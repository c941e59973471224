"""Pictures come after frames, in a thread of their own: what is in view when they are given up or overtaken."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from held_registration import FRAMES, LONG, NOTHING, PICTURES, RESULT, HeldNode, held_node, wait_for

from radgs_core import result_messages
from radgs_core.registration.pipeline import InputError

JUMP = "the time went back by 20.000 s"


@pytest.fixture
def node(domain, case_folder, monkeypatch) -> Iterator[HeldNode]:
    with held_node(domain, case_folder, monkeypatch) as node:
        yield node


class Pen:
    """Draws overlays when it is told to.

    Attributes:
        begun: once for each result whose pictures are being drawn.
        go_on: lets that many of them be drawn.
    """

    def __init__(self) -> None:
        self.begun, self.go_on = threading.Semaphore(0), threading.Semaphore(0)
        self._overlays = 0

    def __call__(self, *arguments: object) -> np.ndarray:
        self._overlays += 1
        if self._overlays % 2:  # two views
            self.begun.release()
            assert self.go_on.acquire(timeout=LONG)
        return np.zeros((8, 8, 3), np.uint8)


@pytest.fixture
def pen(node, monkeypatch) -> Iterator[Pen]:
    pen = Pen()
    monkeypatch.setattr(result_messages, "draw_overlay", pen)
    yield pen
    pen.go_on.release(100)


def register(node: HeldNode, second: int) -> None:
    """The answer comes, whatever becomes of the pictures."""
    answer = node.register(second)
    node.registration.open.release()
    assert answer.result(LONG).success


def told(node: HeldNode) -> tuple[str, str] | None:
    """What is said of the pictures, and of which second."""
    entry = node.told("pictures")
    return entry and (entry.message, entry.values[0].value.split(".")[0])


def test_nothing_waits_for_them(node, pen):
    register(node, 1000)
    assert pen.begun.acquire(timeout=LONG)
    assert told(node) == ("markers and overlays are being made", "1000")
    assert node.told("registration").message.startswith("registered 2 of 2 levels")
    register(node, 1001)
    assert node.sent == FRAMES * 2


def test_of_a_result_that_a_newer_one_overtook_none_are_sent(node, pen):
    register(node, 1000)
    assert pen.begun.acquire(timeout=LONG)
    for second in (1001, 1002):
        register(node, second)
    pen.go_on.release(2)
    wait_for(node.idle, "the pictures")
    assert node.sent == [*FRAMES * 3, *PICTURES]
    assert told(node) == ("markers and overlays are made", "1002")


def test_where_they_are_given_up_by_deactivation_no_earlier_ones_stay_in_view(node, pen):
    pen.go_on.release()
    register(node, 1000)
    wait_for(node.idle, "the first pictures")
    register(node, 1001)
    assert node.trigger_deactivate()
    assert node.sent == [*RESULT, *FRAMES, *PICTURES]
    assert told(node) is None
    pen.go_on.release()
    wait_for(node.idle, "the end of drawing")
    assert node.sent == [*RESULT, *FRAMES, *PICTURES]
    assert told(node) is None


def test_those_that_were_sent_stay_in_view_after_deactivation(node, pen):
    pen.go_on.release()
    register(node, 1000)
    wait_for(node.idle, "the pictures")
    node.trigger_deactivate()
    assert node.sent == RESULT
    assert told(node) == ("markers and overlays are made", "1000")


def test_when_time_goes_back_they_are_given_up_too(node, pen):
    register(node, 1000)
    assert pen.begun.acquire(timeout=LONG)
    node._on_jump(JUMP)
    pen.go_on.release()
    wait_for(node.idle, "the end of drawing")
    assert node.sent == [*FRAMES, *NOTHING]
    assert told(node) is None


def test_what_was_sent_is_answered_as_sent_also_when_the_node_is_deactivated_then(node, monkeypatch):
    """Before the worker gets to answer."""
    report = node._report

    def deactivate_and_report(*arguments: object) -> object:
        node.trigger_deactivate()
        return report(*arguments)

    monkeypatch.setattr(node, "_report", deactivate_and_report)
    register(node, 1000)
    assert node.sent == RESULT, "its pictures are none"


def test_activation_takes_the_result_of_another_activation_back(node):
    register(node, 1000)
    wait_for(node.idle, "the pictures")
    node.trigger_deactivate()
    node.sent.clear()
    node.trigger_activate()
    assert node.sent == ["/tf_static", *NOTHING]
    assert told(node) is None


def test_frames_stand_without_pictures(node, monkeypatch):
    def draw_overlay(*arguments: object) -> None:
        raise InputError("ap/image shows nothing.")

    monkeypatch.setattr(result_messages, "draw_overlay", draw_overlay)
    register(node, 1000)
    wait_for(node.idle, "the end of drawing")
    assert node.sent == [*FRAMES, *PICTURES], "those of an earlier result are taken back"
    assert node.told("pictures").level == DiagnosticStatus.WARN
    assert told(node) == ("markers and overlays could not be made (InputError: ap/image shows nothing.).", "1000")
    assert node.trigger_deactivate()
    assert node.sent == RESULT, "nothing is owed"


def test_pictures_that_cannot_be_sent_are_told(node, monkeypatch):
    send = node._publisher._send

    def refuse_overlays(outgoing: result_messages.Outgoing) -> None:
        if outgoing.output.topic == "ap/overlay" and "markers" not in node.sent[:-1]:
            raise RuntimeError("no memory")
        send(outgoing)

    monkeypatch.setattr(node._publisher, "_send", refuse_overlays)
    register(node, 1000)
    wait_for(node.idle, "the end of drawing")
    assert node.sent == [*FRAMES, "markers", *PICTURES]
    assert told(node) == ("markers and overlays could not be made (RuntimeError: no memory).", "1000")


def test_the_end_waits_for_registration_and_pictures_together(node, pen):
    register(node, 1000)
    assert pen.begun.acquire(timeout=LONG)
    answer = node.register(1001)
    waited: Future[None] = Future()

    def stop() -> None:
        node.stop_work(LONG)
        waited.set_result(None)

    ending = threading.Thread(target=stop)
    ending.start()
    assert answer.result(LONG).message == "the node is shutting down"
    node.registration.open.release()
    node._worker._thread.join(LONG)
    assert not waited.done(), "pictures are still being drawn"
    pen.go_on.release()
    waited.result(LONG)
    assert not node._painter._thread.is_alive()
    assert node.sent == FRAMES
