"""What `make soak` calls growth, and what it complains of."""

import math
import os
import time
from collections.abc import Callable

import pytest
from std_srvs.srv import Trigger

from benchmarks import soak, soak_stream
from benchmarks.bounds import complaint
from benchmarks.soak_stream import Soaked
from radgs_reg_ros.rig.footprint import Footprint


def soaked(memory_mb: list[float]) -> Soaked:
    return Soaked(30.0, [0.5], 0, 0, [Footprint(value, 9, 30, 7, 4) for value in memory_mb])


def test_growth_is_from_the_second_quarter_to_the_last() -> None:
    warming_up, then, spike = [100.0, 400.0], [500.0, 502.0, 506.0, 510.0, 514.0], 900.0
    assert soaked([*warming_up, *then, spike]).growth("memory_mb") == pytest.approx((514 + 900) / 2 - 501)
    assert soaked([500.0] * 8).growth("threads") == 0


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
    """Room, remote and process in one, without ROS; a trigger is answered at once, and its frames come with it."""

    def __init__(self, success: bool, sending_s: float = 0.0) -> None:
        self.remote = self.process = self
        self.pid = os.getpid()
        self.frames_received_ns: dict[int, int] = {}
        self.poses: dict[int, object] = {}
        self._success = success
        self._sending_s = sending_s

    def send(self, xrays: object) -> None:
        time.sleep(self._sending_s)

    def trigger(self, name: str, timeout_s: float) -> Trigger.Response:
        self.frames_received_ns[time.time_ns()] = time.time_ns()
        return Trigger.Response(success=self._success)

    def wait_for(self, condition: Callable[[], object], what: str, timeout_s: float) -> object:
        deadline = time.monotonic() + timeout_s
        while not (value := condition()):
            assert time.monotonic() < deadline, what
            time.sleep(0.01)
        return value


@pytest.mark.parametrize("success", [True, False])
def test_an_answer_without_success_is_a_failed_trigger(
    success: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(soak_stream, "TRIGGER_PERIOD_S", 0.05)
    stream = soak_stream.soaked(StandIn(success), [None], 0.5 / 60, lambda *_: None)
    figures = soak.stream_figures(stream)
    assert figures["triggers"] == len(stream.answers_s) > 1
    assert figures["lost_triggers"] == 0
    assert figures["failed_triggers"] == (0 if success else figures["triggers"])
    others = dict.fromkeys(soak.BOUNDS, 0.0) | {"pairs_per_s": 30.0}
    assert complaint(others | {"failed_triggers": figures["failed_triggers"]}, soak.BOUNDS) == int(not success)
    assert ("failed_triggers is" in capsys.readouterr().err) == (not success)


def test_a_stream_that_is_too_slow_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with soak_stream.XrayStream(StandIn(True, sending_s=0.2), [None]) as stream:
        time.sleep(1.0)
        rate_hz = stream.rate_hz
    assert rate_hz < 6.0
    others = dict.fromkeys(soak.BOUNDS, 0.0)
    assert complaint(others | {"pairs_per_s": rate_hz}, soak.BOUNDS) == 1
    assert f"pairs_per_s is {rate_hz:.4g}, but must not be less than 29." in capsys.readouterr().err
