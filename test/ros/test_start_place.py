"""Where an initialpose in a moving frame is: looked up when it comes, again when that was in vain, and what is told."""

import threading
from collections.abc import Iterator

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from held_registration import LONG, HeldNode, StillBuffer, held_node, wait_for
from xray_source import Exposure

from radgs_core.acquisition.tf_tree import TransformUnavailable

T_TABLE = np.eye(4)
T_TABLE[0, 3] = 100.0
JUMP = "the time went back by 20.000 s"


@pytest.fixture
def node(domain, case_folder, monkeypatch) -> Iterator[HeldNode]:
    with held_node(domain, case_folder, monkeypatch) as node:
        yield node


class Table:
    """Whether a node knows where the table is.

    Attributes:
        error: what a lookup raises; None when the table is known.
        asked: how often it was looked up.
    """

    def __init__(self, buffer: StillBuffer) -> None:
        self.error: Exception | None = TransformUnavailable("nobody has sent table.")
        self.asked = 0
        self._others, buffer.lookup = buffer.lookup, self._lookup

    def _lookup(self, target: str, source: str, *arguments: object) -> np.ndarray:
        if source != "table":
            return self._others(target, source, *arguments)
        self.asked += 1
        if self.error is not None:
            raise self.error
        return T_TABLE


@pytest.fixture
def table(node) -> Table:
    return Table(node._tf_buffer)


def told(node: HeldNode) -> tuple[bytes, str]:
    """What is said of the initialpose."""
    entry = node.told("initialpose")
    return entry.level, entry.message


MISSING = (DiagnosticStatus.WARN, "initialpose: nobody has sent table.")
KNOWN = (DiagnosticStatus.OK, "its place is known")


def test_a_start_in_a_moving_frame_is_looked_up_when_it_comes_and_kept(node, monkeypatch):
    """In a thread: the callback returns at once although the transform is still to come, and TF forgets it later."""
    come, lookup = threading.Event(), node._tf_buffer.lookup
    asked = []

    def look_up(target, source, stamp_ns, timeout_s, cancelled):
        if source != "table":
            return lookup(target, source, stamp_ns, timeout_s, cancelled)
        asked.append(stamp_ns)
        assert come.wait(LONG)
        return T_TABLE

    monkeypatch.setattr(node._tf_buffer, "lookup", look_up)
    node.give_start(50.0, "table", second=7)
    wait_for(lambda: asked == [7_000_000_000], "the lookup")
    come.set()
    wait_for(lambda: node._registrar._start.T_reference_ct is not None, "the place")
    answer = node.register(1000)
    node.registration.open.release()
    assert answer.result(LONG).success
    assert node.registration.starts == pytest.approx([150.0])
    assert len(asked) == 1


def test_of_a_start_that_a_newer_one_replaced_nothing_is_told(node):
    node.give_start(50.0, "nowhere", second=7)
    assert node._tf_buffer.waiting.wait(LONG)
    node.give_start(60.0)
    wait_for(lambda: node._start_placer._running is None, "the end of the lookup")
    assert node.told("initialpose").message == "taken"


def test_that_its_place_is_known_is_told(node, table):
    table.error = None
    node.give_start(50.0, "table", second=7)
    wait_for(lambda: told(node) == KNOWN, "its place")
    assert node.told("initialpose").values[0].value == "table"


def test_a_registration_that_finds_its_place_takes_the_warning_back_and_keeps_it(node, table):
    node.give_start(50.0, "table", second=7)
    wait_for(lambda: told(node) == MISSING, "the warning")
    table.error = None
    for second in (1000, 1001):
        answer = node.register(second)
        assert told(node) == KNOWN
        node.registration.open.release()
        assert answer.result(LONG).success
    assert node.registration.starts == pytest.approx([150.0, 160.0])
    assert table.asked == 2


def test_a_registration_without_its_place_says_what_is_missing(node, table):
    node.give_start(50.0, "table", second=7)
    node.take(Exposure.good(1000))
    assert node.call().result(LONG).message == "initialpose: nobody has sent table."
    assert told(node) == MISSING


def test_it_is_looked_up_again_after_deactivation(node, table):
    node.give_start(50.0, "table", second=7)
    wait_for(lambda: told(node) == MISSING, "the warning")
    node.trigger_deactivate()
    table.error = None
    node.trigger_activate()
    wait_for(lambda: told(node) == KNOWN, "its place")


@pytest.mark.parametrize("active", [True, False])
def test_without_a_place_it_is_given_up_when_time_goes_back(active, node, table):
    """The table may stand elsewhere at the same stamp of the next run."""
    node.give_start(50.0, "table", second=7)
    wait_for(lambda: told(node) == MISSING, "the warning")
    if not active:
        node.trigger_deactivate()
    node._on_jump(JUMP)
    assert told(node) == (
        DiagnosticStatus.WARN,
        f"initialpose: {JUMP}, so where its frame was at its stamp is not to be known any more; send it again.",
    )
    assert node.told("start").values[0].value == "networks"
    if active:
        table.error = None
        answer = node.register(1000)
        node.registration.open.release()
        assert answer.result(LONG).success
        assert node.registration.starts == [None]


@pytest.mark.parametrize(("frame", "second"), [("table", 7), ("table", 0), ("carm_base", 7)])
def test_one_that_is_placed_or_has_no_stamp_stays_when_time_goes_back(frame, second, node, table):
    table.error = None
    node.give_start(50.0, frame, second)
    wait_for(node.idle, "its place")
    before = told(node)
    node._on_jump(JUMP)
    assert told(node) == before
    answer = node.register(1000)
    node.registration.open.release()
    assert answer.result(LONG).success
    assert node.registration.starts == pytest.approx([150.0 if frame == "table" else 50.0])


def test_an_unexpected_error_is_told_and_in_the_log(node, table, capfd):
    table.error = KeyError("table")
    node.give_start(50.0, "table", second=7)
    wait_for(lambda: told(node)[0] == DiagnosticStatus.ERROR, "the error")
    assert told(node)[1] == "initialpose: looking its place up failed unexpectedly (KeyError: 'table')."
    assert "Traceback" in capfd.readouterr().err


def test_an_unexpected_error_of_a_view_is_told_and_in_the_log(node, monkeypatch, capfd):
    def lookup(*arguments: object) -> np.ndarray:
        raise KeyError("ap")

    monkeypatch.setattr(node._tf_buffer, "lookup", lookup)
    node.take(Exposure.good(1000))
    wait_for(lambda: (entry := node.told("ap/transform")) and entry.level == DiagnosticStatus.ERROR, "the error")
    assert node.told("ap/transform").message == ("ap/image: looking its place up failed unexpectedly (KeyError: 'ap').")
    assert "Traceback" in capfd.readouterr().err
