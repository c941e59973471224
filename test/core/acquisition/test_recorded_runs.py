"""Time that goes back in a recording, and what was sent before it did: by the rule that the live node has."""

import pytest

from radgs_core.acquisition.jump_back import JumpBack
from radgs_core.acquisition.recorded_runs import RecordedRuns

S = 1_000_000_000


def test_a_stamp_closer_to_the_time_before_is_of_before_until_time_is_half_of_the_way_back() -> None:
    jump = JumpBack(100 * S, 20 * S)
    assert [jump.is_of_before(second * S) for second in (20, 59, 61, 100)] == [False, False, True, True]
    assert [jump.is_over(second * S) for second in (20, 60, 61)] == [False, False, True]


def with_clock(*times: tuple[float, float]) -> RecordedRuns:
    """Of when ``/clock`` was received and what it said, in seconds."""
    runs = RecordedRuns()
    for received_s, clock_s in times:
        runs.take_clock(round(clock_s * S), round(received_s * S))
    return runs


def test_stragglers_are_told_between_the_jump_and_the_middle() -> None:
    runs = with_clock((0, 20), (80, 100), (81, 20), (121, 60), (122, 61), (200, 139))
    assert runs.count == 2
    for received_s, outdated in ((80, False), (81, True), (121, True), (122, False), (199, False)):
        assert runs.is_outdated(99 * S, received_s * S) is outdated, received_s
    assert not runs.is_outdated(30 * S, 90 * S)


def test_every_loop_has_its_own_stragglers() -> None:
    runs = with_clock(*((10 * n + s, s) for n in range(3) for s in range(9)))
    assert runs.count == 3
    for begin_s in (10, 20):
        assert runs.at(begin_s * S) == begin_s // 10
        assert runs.is_outdated(8 * S, begin_s * S) and not runs.is_outdated(8 * S, (begin_s + 8) * S)


def test_where_there_is_a_clock_it_alone_tells() -> None:
    """As live, where what is sent in the new run before its /clock is of the run before."""
    runs = with_clock((0, 20))
    runs.take_frame("ap", 20 * S, S)
    runs.take_frame("ap", 5 * S, 2 * S)
    assert runs.count == 1
    runs.take_clock(5 * S, 3 * S)
    assert (runs.count, runs.at(2 * S), runs.at(3 * S)) == (2, 0, 1)


def test_without_a_clock_frames_that_go_back_tell() -> None:
    """They may be rare: an image with a later stamp than theirs is not one of before."""
    runs = RecordedRuns()
    for received_s, frame, stamp_s in ((1, "ap", 100), (2, "table", 99), (3, "table", 100), (4, "ap", 0), (5, "ap", 1)):
        runs.take_frame(frame, stamp_s * S, received_s * S)
    assert (runs.count, runs.at(3 * S), runs.at(4 * S)) == (2, 0, 1)
    assert not runs.is_outdated(60 * S, 64 * S)


@pytest.mark.parametrize(("back_s", "count"), [(0.1, 2), (0.09, 1)])
def test_a_clock_jumps_by_what_is_a_jump_live(back_s: float, count: int) -> None:
    assert with_clock((0, 5), (1, 6), (2, 6 - back_s), (3, 7)).count == count
