"""What `make soak` calls growth, how it counts triggers and what starts leave, and what it complains of."""

import math
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from radgs_reg.msg import VertebraPose, VertebraPoseArray
from std_srvs.srv import Trigger

from benchmarks import soak, soak_stream
from benchmarks.bounds import complaint
from benchmarks.ros_xrays import xray_messages
from benchmarks.soak_starts import LeftByStarts, identified, left_by_starts, runs_still
from benchmarks.soak_stream import RATE_HZ, Ending, Soaked
from radgs_core.case import Case
from radgs_reg_ros.rig.footprint import SHARED_MEMORY, Footprint, shared_files_of
from radgs_reg_ros.rig.node_process import NodeProcess
from radgs_reg_ros.rig.remote import RigError

LONG = 30.0
REGISTERED, REJECTED = VertebraPose.REGISTERED, VertebraPose.REJECTED


def soaked(memory_mb: list[float]) -> Soaked:
    return Soaked(30.0, [], [Footprint(value, 9, 30, 7, 4) for value in memory_mb])


def test_growth_is_from_the_second_quarter_to_the_last() -> None:
    warming_up, then, spike = [100.0, 400.0], [500.0, 502.0, 506.0, 510.0, 514.0], 900.0
    assert soaked([*warming_up, *then, spike]).growth("memory_mb") == pytest.approx((514 + 900) / 2 - 501)
    assert soaked([500.0] * 8).growth("descriptors") == 0


def test_one_footprint_has_not_grown() -> None:
    assert soaked([500.0]).growth("memory_mb") == 0


def test_what_is_out_of_bounds_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    within = {name: bound.most if bound.most < math.inf else bound.least for name, bound in soak.BOUNDS.items()}
    assert complaint(within, soak.BOUNDS) == 0
    assert complaint({**within, "lost_triggers": 2.0, "growth_mb": math.nan}, soak.BOUNDS) == 1
    assert capsys.readouterr().err.splitlines() == [
        "lost_triggers is 2, but must not be more than 0.",
        "growth_mb is nan, but must not be unknown.",
    ]


class StandIn:
    """Room, remote and process in one, without ROS; what a trigger brings comes with its answer.

    Args:
        success: of the answer; None: there is none.
        statuses: of the levels of the result; None: there is none.
        age_s: of the pair that was registered.
        frames: whether they come.
    """

    def __init__(
        self,
        success: bool | None = True,
        statuses: list[int] | None = None,
        age_s: float = 0.0,
        frames: bool = True,
        sending_s: float = 0.0,
    ) -> None:
        self.remote = self.process = self
        self.pid = os.getpid()
        self.frames_received_ns: dict[int, int] = {}
        self.poses: dict[int, VertebraPoseArray] = {}
        self._success, self._statuses, self._age_s, self._frames = success, statuses, age_s, frames
        self._sending_s = sending_s

    def send(self, xrays: object) -> None:
        time.sleep(self._sending_s)

    def failure(self) -> None:
        return None

    def trigger(self, name: str, timeout_s: float) -> Trigger.Response:
        if self._success is None:
            raise RigError("no answer")
        if self._statuses is not None:
            stamp_ns = time.time_ns() - round(1e9 * self._age_s)
            self.poses[stamp_ns] = VertebraPoseArray(vertebrae=[VertebraPose(status=s) for s in self._statuses])
            if self._frames and REGISTERED in self._statuses:
                self.frames_received_ns[stamp_ns] = time.time_ns()
        return Trigger.Response(success=self._success)

    def wait_for(self, condition: Callable[[], object], what: str, timeout_s: float) -> object:
        deadline = time.monotonic() + timeout_s
        while not (value := condition()):
            if time.monotonic() > deadline:
                raise RigError(what)
            time.sleep(0.001)
        return value


@pytest.mark.parametrize(
    ("ending", "room"),
    [
        (Ending.REGISTERED, StandIn(True, [REGISTERED, REGISTERED])),
        (Ending.REJECTED, StandIn(False, [REGISTERED, REJECTED])),
        (Ending.REJECTED, StandIn(False, [REJECTED, REJECTED])),
        (Ending.FAILED, StandIn(False)),
        (Ending.FAILED, StandIn(False, [])),
        (Ending.LOST, StandIn(None)),
        (Ending.LOST, StandIn(True)),
        (Ending.LOST, StandIn(True, [REGISTERED, REGISTERED], age_s=5.0)),
        (Ending.LOST, StandIn(True, [REGISTERED, REGISTERED], frames=False)),
    ],
)
def test_a_trigger_is_judged_by_its_answer_and_by_what_it_brings(
    ending: Ending, room: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(soak_stream, "RESULT_S", 0.05)
    trigger = soak_stream.trigger(room)
    assert trigger.ending is ending
    assert math.isnan(trigger.answer_s) == (room._success is None)


def test_an_earlier_result_is_not_that_of_a_trigger(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soak_stream, "RESULT_S", 0.05)
    room = StandIn(False)
    room.poses[time.time_ns()] = VertebraPoseArray(vertebrae=[VertebraPose(status=REJECTED)])
    assert soak_stream.trigger(room).ending is Ending.FAILED


@pytest.mark.parametrize(
    ("room", "count", "code"),
    [
        (StandIn(True, [REGISTERED]), "triggers", 0),
        (StandIn(False, [REJECTED]), "rejected_triggers", 0),
        (StandIn(False), "failed_triggers", 1),
        (StandIn(None), "lost_triggers", 1),
    ],
)
def test_triggers_that_fail_or_are_lost_are_out_of_bounds_and_verdicts_are_not(
    room: StandIn, count: str, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(soak_stream, "TRIGGER_PERIOD_S", 0.05)
    monkeypatch.setattr(soak_stream, "RESULT_S", 0.02)
    stream = soak_stream.soaked(room, [None], 0.5 / 60, lambda *_: None)
    figures = soak.stream_figures(stream)
    assert figures["triggers"] == len(stream.footprints) > 1
    counts = {name: value for name, value in figures.items() if name.endswith("_triggers")}
    assert counts == dict.fromkeys(counts, 0) | ({} if count == "triggers" else {count: figures["triggers"]})
    assert math.isnan(figures["answer_max_ms"]) == (count == "lost_triggers")
    others = dict.fromkeys(soak.BOUNDS, 0.0) | {"pairs_per_s": 30.0}
    assert complaint(others | counts, soak.BOUNDS) == code
    assert (f"{count} is" in capsys.readouterr().err) == bool(code)


def test_a_stream_that_is_too_slow_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    room = StandIn(sending_s=6 / RATE_HZ)
    with soak_stream.XrayStream(room, [None]) as stream:
        room.wait_for(lambda: stream.frames > 4, "pairs", LONG)
        rate_hz = stream.rate_hz
    assert rate_hz < 6.0
    others = dict.fromkeys(soak.BOUNDS, 0.0)
    assert complaint(others | {"pairs_per_s": rate_hz}, soak.BOUNDS) == 1
    assert f"pairs_per_s is {rate_hz:.4g}, but must not be less than 29." in capsys.readouterr().err


@pytest.fixture(scope="module")
def case(case_folder: Path) -> Case:
    return Case.load(case_folder)


@pytest.fixture(scope="module")
def xrays(case: Case) -> list:
    return xray_messages(case, 1, lambda *_: None)


def test_starts_that_register_and_are_stopped_leave_nothing(case: Case, xrays: list) -> None:
    assert left_by_starts(case, xrays, 1, lambda *_: None) == LeftByStarts(files=0, processes=0)


def test_files_of_a_process_that_does_not_leave_dds_would_be_counted(
    case: Case, xrays: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    files: set[Path] = set()

    def kill(process: NodeProcess) -> None:
        files.update(shared_files_of(process.pid))
        os.kill(process.pid, signal.SIGKILL)

    monkeypatch.setattr(NodeProcess, "interrupt", kill)
    try:
        assert left_by_starts(case, xrays, 1, lambda *_: None).files > 0
    finally:
        for file in files:
            file.unlink(missing_ok=True)


def test_a_file_that_another_one_makes_by_the_same_name_was_not_left() -> None:
    file = Path(SHARED_MEMORY) / f"radgs_reg_{os.getpid()}"
    made = []
    for _ in range(2):
        file.touch()
        made.append(identified([file]))
        file.unlink()
    assert len(made[0]) == 1
    assert made[0].isdisjoint(made[1])
    assert not identified([file])


def test_a_process_that_outlives_the_one_that_made_it_is_seen() -> None:
    shell = subprocess.Popen(["sh", "-c", "sleep 600 > /dev/null &"], start_new_session=True)
    assert shell.wait(LONG) == 0
    try:
        assert runs_still(shell.pid)
    finally:
        os.killpg(shell.pid, signal.SIGKILL)
