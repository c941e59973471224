"""Transforms of a recording: known before they came, and looked up in the run that they belong to."""

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import pytest
from made_bag import S, clock, moving, static

from radgs_core.acquisition import recorded_transforms
from radgs_core.acquisition.recorded_transforms import RecordedTransforms
from radgs_core.acquisition.tf_tree import TransformTree, TransformUnavailable
from radgs_core.errors import InputError
from radgs_core.messages.topics import TF, TF_STATIC


def at(x: float) -> np.ndarray:
    matrix = np.eye(4)
    matrix[0, 3] = x
    return matrix


WANTED_NS = range(0, 120 * S, S // 20)
"""Stamps that tests look up are among them."""


def foreseen(
    *sent: Any, ignored: tuple[str, ...] = (), told: list[str] | None = None, wanted_ns: Iterable[int] = WANTED_NS
) -> RecordedTransforms:
    transforms = RecordedTransforms(ignored, (told if told is not None else []).append)
    transforms.want(wanted_ns)
    for received_ns, topic, _, message in sent:
        if topic == TF:
            transforms.foresee_moving(message, received_ns)
        elif topic == TF_STATIC:
            transforms.foresee_static(message)
        else:
            transforms.foresee_clock(message, received_ns)
    transforms.begin()
    return transforms


def x_of(transforms: RecordedTransforms, frame: str, stamp_s: float) -> float:
    return float(transforms.lookup("carm_base", frame, round(stamp_s * S))[0, 3])


def scaled(sent: Any, w: float) -> Any:
    """Not rigid any more."""
    for transform in sent[3].transforms:
        transform.transform.rotation.w = w
    return sent


def test_moving_frames_are_known_over_the_whole_recording() -> None:
    transforms = foreseen(*(moving(s * S, s * S, {"ap": at(s)}) for s in (1, 2, 100)))
    for stamp_s in (1, 1.5, 51, 100):
        assert x_of(transforms, "ap", stamp_s) == pytest.approx(stamp_s)
    with pytest.raises(TransformUnavailable, match=r"is known from 1\.0+ s to 100\.0+ s, but is needed at 101"):
        x_of(transforms, "ap", 101)


def test_a_late_static_frame_counts_from_the_beginning_and_a_new_one_from_then_on() -> None:
    first, second = static(50 * S, {"ap": at(1)}), static(60 * S, {"ap": at(2)})
    transforms = foreseen(first, second)
    assert x_of(transforms, "ap", 5) == 1
    transforms.take_static(first[3])
    assert x_of(transforms, "ap", 5) == 1
    transforms.take_static(second[3])
    assert x_of(transforms, "ap", 5) == 2


def test_stamps_need_not_be_those_of_the_recorder() -> None:
    """A simulation whose time has nothing to do with the recorder's."""
    transforms = foreseen(moving(900 * S, 3 * S, {"ap": at(3)}), moving(901 * S, 4 * S, {"ap": at(4)}))
    transforms.reach(901 * S)
    assert x_of(transforms, "ap", 3.5) == pytest.approx(3.5)


@pytest.mark.parametrize("jump", ["tf", "clock"])
def test_each_run_has_its_own_moving_frames_and_all_have_the_static_ones(jump: str) -> None:
    """The C-arm stood elsewhere at the same stamps before time jumped back."""
    runs = []
    for received_s, x in ((10, 0), (20, 100)):
        # without a clock the frames' own stamps tell; with it, they need not overlap
        stamps = (5, 8) if jump == "tf" else (5, 8) if x == 0 else (7.5, 9)
        if jump == "clock":
            runs.append(clock(received_s * S, (5 if x == 0 else 2) * S))
        for s in stamps:
            received_ns, stamp_ns = round((received_s + s) * S), round(s * S)
            runs += [clock(received_ns, stamp_ns)] if jump == "clock" else []
            runs.append(moving(received_ns, stamp_ns, {"ap": at(x + s)}))
        if jump == "clock":
            runs.append(clock((received_s + 9) * S, 9 * S))
    transforms = foreseen(static(5 * S, {"lateral": at(7)}), *runs)
    assert not transforms.reach(18 * S)
    assert x_of(transforms, "ap", 7.75) == pytest.approx(7.75)
    assert transforms.reach(26 * S)
    assert not transforms.reach(27 * S)
    assert x_of(transforms, "ap", 7.75) == pytest.approx(107.75)
    assert x_of(transforms, "lateral", 7.5) == 7
    with pytest.raises(TransformUnavailable):
        x_of(transforms, "ap", 1)


def test_a_sample_that_was_sent_before_time_went_back_is_left_out() -> None:
    """It would be taken for a place at the end of the new run."""
    late = moving(21 * S, 9 * S, {"ap": at(999)})
    samples = [moving((20 + s) * S, s * S, {"ap": at(s)}) for s in (2, 4, 8)]
    clocks = [clock((20 + s) * S, s * S) for s in (0, 8)]
    transforms = foreseen(clock(10 * S, 10 * S), clocks[0], late, *samples[:2], clocks[1], samples[2])
    assert transforms.is_outdated(9 * S, 21 * S) and not transforms.is_outdated(9 * S, 28 * S)
    transforms.reach(28 * S)
    assert x_of(transforms, "ap", 6) == pytest.approx(6)
    with pytest.raises(TransformUnavailable, match=r"known from 2\.0+ s to 8\.0+ s"):
        x_of(transforms, "ap", 9)


def test_messages_that_overtake_each_other_and_results_are_no_jump() -> None:
    late = [moving(r * S, s * S // 10, {"ap": at(s)}) for r, s in ((1, 40), (2, 32), (3, 50))]
    result = [moving(4 * S, 100 * S, {"vertebra_L1": at(1)}), moving(5 * S, 2 * S, {"vertebra_L1": at(2)})]
    transforms = foreseen(*late, *result, ignored=("vertebra_L1",))
    assert not transforms.reach(9 * S)
    assert x_of(transforms, "ap", 3.6) == pytest.approx(36)


def test_a_sample_that_is_not_rigid_is_told_and_not_bridged() -> None:
    told: list[str] = []
    samples = [moving(s * S, s * S, {"ap": at(s)}) for s in (1, 2, 3, 4)]
    transforms = foreseen(samples[0], samples[1], scaled(samples[2], 1.4), samples[3], told=told)
    assert len(told) == 1 and "carm_base <- ap is not a rigid transform" in told[0]
    assert x_of(transforms, "ap", 1.5) == pytest.approx(1.5)
    for stamp_s in (2.5, 3, 3.5):
        with pytest.raises(InputError, match=r"carm_base <- ap is not a rigid transform.*norm 1\.4"):
            x_of(transforms, "ap", stamp_s)
    assert x_of(transforms, "ap", 4) == 4


def test_a_static_frame_that_is_refused_is_lost_until_a_good_one_comes() -> None:
    told: list[str] = []
    good, bad = static(1 * S, {"ap": at(1)}), scaled(static(2 * S, {"ap": at(1)}), 1.4)
    transforms = foreseen(good, bad, told=told)
    transforms.take_static(good[3])
    assert x_of(transforms, "ap", 1) == 1
    transforms.take_static(bad[3])
    with pytest.raises(InputError, match="not a rigid transform"):
        x_of(transforms, "ap", 1)
    transforms.take_static(good[3])
    assert x_of(transforms, "ap", 1) == 1
    assert len(told) == 1


def test_frames_that_cannot_be_are_told() -> None:
    told: list[str] = []
    transforms = foreseen(moving(1, S, {"carm_base": at(0)}), static(1, {"": at(0)}), told=told)
    transforms.take_static(static(1, {"carm_base": at(0)})[3])
    assert len(told) == 3
    assert "its own parent" in told[0] and "lacks the name" in told[1] and "its own parent" in told[2]


def dense(hertz: int, seconds: int) -> Iterator[Any]:
    """A frame that is sent very often."""
    for number in range(hertz * seconds):
        stamp_ns = number * S // hertz
        yield moving(stamp_ns, stamp_ns, {"ap": at(number / hertz)})


def test_what_is_kept_does_not_grow_with_how_much_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorded_transforms, "THIN_FROM", 256)

    def most_samples(seconds: int) -> int:
        transforms = RecordedTransforms((), lambda _: None)
        transforms.want([S, 2 * S + 1])
        most = 0
        for received_ns, _, _, message in dense(100, seconds):
            transforms.foresee_moving(message, received_ns)
            most = max(most, sum(tree.sample_count for tree in transforms._trees))
        transforms.begin()
        assert x_of(transforms, "ap", 1) == pytest.approx(1)
        return most

    assert most_samples(80) == most_samples(8) < 300


@pytest.mark.parametrize("wanted", [0, 1, 7, 300])
def test_what_is_forgotten_is_never_missed(wanted: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Samples overtake each other and come twice; stamps hit samples, lie between two, and outside."""
    monkeypatch.setattr(recorded_transforms, "THIN_FROM", 8)
    rng = np.random.default_rng(wanted)
    stamps_ns = rng.integers(0, S // 2, 400) // 1000 * 1000
    wanted_ns = rng.integers(-S // 10, S * 6 // 10, wanted) // 1000 * 1000
    wanted_ns[::2] = rng.choice(stamps_ns, len(wanted_ns[::2]))
    whole = TransformTree(math.inf)
    samples = []
    for received_ns, stamp_ns in enumerate(stamps_ns.tolist()):
        samples.append(moving(received_ns, stamp_ns, {"ap": at(received_ns)}))
        whole.insert("carm_base", "ap", stamp_ns, at(received_ns))
    transforms = foreseen(*samples, wanted_ns=wanted_ns.tolist())
    for stamp_ns in wanted_ns.tolist():
        found = [outcome(lookup, stamp_ns) for lookup in (transforms.lookup, whole.lookup)]
        assert found[0] == found[1]
    assert transforms._trees[0].sample_count <= 2 * len(set(wanted_ns.tolist())) + 2
    assert whole.sample_count > 350


def outcome(lookup: Callable[[str, str, int], Any], stamp_ns: int) -> Any:
    """What is found, or the sentence."""
    try:
        return np.round(lookup("carm_base", "ap", stamp_ns), 6).tolist()
    except TransformUnavailable as error:
        return str(error)


def test_runs_that_have_ended_keep_no_more_than_they_need() -> None:
    """A recording that is looped for hours."""
    loops = [moving((100 * n + s) * S, s * S, {"ap": at(s)}) for n in range(5) for s in range(50)]
    transforms = foreseen(*loops, wanted_ns=[7 * S + 1])
    assert [tree.sample_count for tree in transforms._trees] == [4] * 5


def test_a_stamp_that_nobody_wanted_is_an_error_of_the_program() -> None:
    transforms = foreseen(moving(S, S, {"ap": at(1)}), wanted_ns=[S])
    with pytest.raises(ValueError, match="none of the stamps"):
        x_of(transforms, "ap", 2)
