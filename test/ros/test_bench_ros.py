"""The figures of `make bench-ros`, of runs that are made up, and what it complains of."""

import math
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from radgs_reg.msg import VertebraPose, VertebraPoseArray

from benchmarks import report, ros
from benchmarks.bounds import complaint
from benchmarks.ros_live import LivePair, LiveRun
from benchmarks.ros_replay import ReplayRun

REGISTERED, REJECTED = VertebraPose.REGISTERED, VertebraPose.REJECTED


def poses(x_m: Sequence[float] = (0.1, 0.2), statuses: Sequence[int] = (REGISTERED, REGISTERED)) -> VertebraPoseArray:
    """Of T12 and L1, at ``x_m``."""
    levels = []
    for label, x, status in zip(("T12", "L1"), x_m, statuses, strict=True):
        level = VertebraPose(label=label, status=status)
        level.ct_pose.position.x = x
        levels.append(level)
    return VertebraPoseArray(vertebrae=levels)


def live_run(*seconds: tuple[float | None, float]) -> LiveRun:
    """Pairs that took so long live, and of it in the core."""
    pairs = [LivePair(number, live_s, core_s) for number, (live_s, core_s) in enumerate(seconds)]
    return LiveRun(pairs, {pair.stamp_ns: poses() for pair in pairs if pair.live_s is not None})


def replayed(live: LiveRun, seconds: float) -> ReplayRun:
    return ReplayRun(live.poses, seconds, 0.5)


def test_overheads_are_of_pairs_with_frames_and_the_others_are_lost() -> None:
    live = live_run((0.52, 0.5), (None, 0.5), (0.45, 0.44))
    assert live.overheads_ms == pytest.approx([20.0, 10.0])
    assert live.lost == 1


def test_figures_of_both_runs() -> None:
    live = live_run((0.51, 0.5), (0.52, 0.5), (None, 0.8))
    figures = ros.figures_of(live, replayed(live, 0.525))
    assert figures == pytest.approx(
        {
            "pairs": 3,
            "overhead_ms": 15.0,
            "overhead_p95_ms": 19.5,
            "core_ms": 500.0,
            "replay_max_difference": 0.0,
            "replay_time_ratio": 1.05,
            "lost_triggers": 1,
        }
    )


@pytest.mark.parametrize(
    ("replay", "difference"),
    [
        ({5: poses()}, 0.0),
        ({5: poses((0.1, 0.2 + 3e-6))}, 3e-6),
        ({5: poses((0.1 - 4e-6, 0.2 + 3e-6))}, 4e-6),
        ({5: poses(statuses=(REGISTERED, REJECTED))}, math.inf),
        ({5: VertebraPoseArray(vertebrae=poses().vertebrae[:1])}, math.inf),
        ({6: poses()}, math.inf),
        ({5: poses(), 6: poses()}, math.inf),
        ({}, math.inf),
    ],
)
def test_the_largest_difference_is_infinite_where_a_result_is_missing_or_another(
    replay: dict[int, VertebraPoseArray], difference: float
) -> None:
    assert ReplayRun(replay, 1.0, 1.0).largest_difference({5: poses()}) == pytest.approx(difference)


def test_a_rotation_counts_too() -> None:
    turned = poses()
    turned.vertebrae[1].ct_pose.orientation.z = 2e-6
    assert ReplayRun({5: turned}, 1.0, 1.0).largest_difference({5: poses()}) == pytest.approx(2e-6)


@pytest.mark.parametrize(("statuses", "difference"), [((REGISTERED, REJECTED), 3e-6), ((REJECTED, REJECTED), 0.0)])
def test_a_rejected_level_has_no_pose_to_compare(statuses: Sequence[int], difference: float) -> None:
    nowhere = [x if status == REGISTERED else math.nan for x, status in zip((0.1, 0.2), statuses, strict=True)]
    one, other = poses(nowhere, statuses), poses(nowhere, statuses)
    other.vertebrae[0].ct_pose.position.x += 3e-6
    assert ReplayRun({5: one}, 1.0, 1.0).largest_difference({5: other}) == pytest.approx(difference)


def test_no_numbers_and_no_results_are_no_agreement() -> None:
    assert np.isnan(ReplayRun({5: poses((0.1, math.nan))}, 1.0, 1.0).largest_difference({5: poses()}))
    assert np.isinf(ReplayRun({}, 1.0, 1.0).largest_difference({}))


def test_a_good_run_is_no_reason_to_complain(capsys: pytest.CaptureFixture[str]) -> None:
    live = live_run((0.52, 0.5), (0.53, 0.5))
    assert complaint(ros.figures_of(live, replayed(live, 0.54)), ros.BOUNDS) == 0
    assert capsys.readouterr().err == ""


def test_every_bound_that_is_missed_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    live = live_run((0.55, 0.5), (0.55, 0.5), (None, 0.5))
    moved = ReplayRun({stamp_ns: poses((0.1, 0.2 + 3e-6)) for stamp_ns in live.poses}, 0.6, 0.5)
    assert complaint(ros.figures_of(live, moved), ros.BOUNDS) == 1
    assert capsys.readouterr().err.splitlines() == [
        "overhead_ms is 50, but must not be more than 30.",
        "replay_max_difference is 3e-06, but must not be more than 1e-09.",
        "replay_time_ratio is 1.2, but must not be more than 1.1.",
        "lost_triggers is 1, but must not be more than 0.",
    ]


def test_a_replay_that_is_too_fast_and_no_frames_at_all_are_named_too(capsys: pytest.CaptureFixture[str]) -> None:
    live = live_run((None, 0.5))
    assert complaint(ros.figures_of(live, ReplayRun({0: poses()}, 0.4, 0.5)), ros.BOUNDS) == 1
    assert capsys.readouterr().err.splitlines() == [
        "overhead_ms is nan, but must not be unknown.",
        "replay_max_difference is inf, but must not be more than 1e-09.",
        "replay_time_ratio is 0.8, but must not be less than 0.9.",
        "lost_triggers is 1, but must not be more than 0.",
    ]


def test_the_exit_code_is_that_of_the_complaint(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Everything but the reporting is a stand-in."""
    slow = live_run((0.6, 0.5), (0.6, 0.5))
    monkeypatch.setattr(report, "FOLDER", tmp_path)
    monkeypatch.setattr("sys.argv", ["benchmarks/ros.py", "--pairs", "2"])
    monkeypatch.setattr(ros, "example_case", lambda levels: None)
    monkeypatch.setattr(ros, "xray_messages", lambda *_: [])
    monkeypatch.setattr(ros, "ros_room", lambda *_, **__: nullcontext(SimpleNamespace(case_folder=tmp_path)))
    monkeypatch.setattr(ros.Case, "load", lambda folder: None)
    monkeypatch.setattr(ros, "live_run", lambda *_: slow)
    monkeypatch.setattr(ros, "replay_run", lambda *_: replayed(slow, 0.5))
    assert ros.main() == 1
    told = capsys.readouterr()
    assert "ros: pairs=2 overhead_ms=100" in told.out
    assert "overhead_ms is 100, but must not be more than 30." in told.err
    monkeypatch.setattr(ros, "live_run", lambda *_: live_run((0.51, 0.5)))
    monkeypatch.setattr(ros, "replay_run", lambda *_: replayed(live_run((0.51, 0.5)), 0.5))
    assert ros.main() == 0
