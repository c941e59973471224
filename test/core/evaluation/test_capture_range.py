import math

import numpy as np
import pytest

from radgs_core.case import Case
from radgs_core.evaluation import LevelError, Trial, capture_bins, capture_range_mm, evaluate, start_between
from radgs_core.geometry.rigid import checked_rigid, inverse, rotation_angle_deg
from radgs_core.io import LevelPose, Poses
from radgs_core.xray import bend, body_pose

EDGES = (0.0, 5.0, 10.0, 15.0)


def trials(initial_mm: float, good: int, bad: int, study: int = 0) -> list[Trial]:
    """Levels of one study."""
    return [Trial(study, initial_mm, LevelError("L1", "registered", tre)) for tre in [0.5] * good + [3.0] * bad]


def studies(initial_mm: float, good: int, bad: int) -> list[Trial]:
    """One level of each study."""
    errors = [LevelError("L1", "registered", tre) for tre in [0.5] * good + [3.0] * bad]
    return [Trial(study, initial_mm, error) for study, error in enumerate(errors)]


def test_a_bin_holds_its_lower_bound_and_not_its_upper() -> None:
    initial = [0.0, 4.999, 5.0, 9.0, 15.0, 40.0]
    bins = capture_bins([Trial(0, tre, LevelError("L1", "registered", 0.5)) for tre in initial], EDGES)
    assert [(each.lower_mm, each.upper_mm, each.levels) for each in bins] == [(0, 5, 2), (5, 10, 2), (10, 15, 0)]


def test_a_level_counts_where_it_started_itself() -> None:
    """Levels of one study may lie in different bins; a bin knows from how many studies its levels are."""
    bins = capture_bins([*trials(4, 1, 0, 7), *trials(6, 2, 1, 7), *trials(6, 1, 0, 8)], EDGES)
    assert [(each.levels, each.studies) for each in bins] == [(1, 1), (4, 2), (0, 0)]
    assert bins[1].success_2mm == 0.75
    assert bins[2].summary is None and math.isnan(bins[2].success_2mm)


def test_verdicts_are_counted_by_bin() -> None:
    errors = [LevelError("L1", "registered", 3.0), LevelError("L1", "rejected", 0.4), LevelError("L1", "rejected", 9.0)]
    (summary,) = (each.summary for each in capture_bins([Trial(0, 2.0, error) for error in errors], (0, 5)))
    assert summary is not None
    assert (summary.wrong_accepts, summary.needless_rejects, summary.rejected) == (1, 1, 2)


@pytest.mark.parametrize(
    ("good_and_bad", "expected"),
    [
        ([(20, 0), (20, 0), (20, 0)], 15),
        ([(19, 1), (38, 2), (57, 3)], 15),  # exactly 95 % is enough
        ([(20, 0), (18, 2), (20, 0)], 5),  # what comes after a bin that fails does not count
        ([(18, 2), (20, 0), (20, 0)], 0),
        ([(20, 0), (0, 0), (20, 0)], 5),  # nothing was tried there
        ([(20, 0), (19, 0), (20, 0)], 5),  # too little was tried there
        ([(0, 0), (0, 0), (0, 0)], 0),
    ],
)
def test_the_range_ends_before_the_first_bin_that_does_not_succeed(
    good_and_bad: list[tuple[int, int]], expected: float
) -> None:
    all_trials = [t for lower, (good, bad) in zip(EDGES, good_and_bad, strict=False) for t in studies(lower, good, bad)]
    assert capture_range_mm(capture_bins(all_trials, EDGES), least_studies=20) == expected


def test_levels_that_share_a_start_count_as_one_start() -> None:
    nineteen, twenty = ([t for study in range(count) for t in trials(1, 5, 0, study)] for count in (19, 20))
    assert capture_range_mm(capture_bins(nineteen, EDGES), least_studies=20) == 0
    assert capture_range_mm(capture_bins(twenty, EDGES), least_studies=20) == 5


def test_no_trial_is_no_success_even_if_none_is_asked_for() -> None:
    assert capture_range_mm(capture_bins(trials(1, 1, 0), EDGES), least_studies=0) == 5
    assert capture_range_mm(capture_bins([], EDGES), least_studies=0) == 0


@pytest.mark.parametrize("lower_mm", [0, 5, 25])
def test_a_start_has_the_tre_that_was_asked_for(phantom_case: Case, lower_mm: float) -> None:
    body = body_pose(phantom_case, list(phantom_case.levels))
    rng = np.random.default_rng(lower_mm)
    initial, shares = [], []
    for _ in range(40):
        motion = bend(phantom_case, list(phantom_case.levels), 2.0, 3.0, rng)
        truth = {level: body @ T_ct_ct for level, T_ct_ct in motion.items()}
        start = start_between(phantom_case, body, truth, lower_mm, lower_mm + 5, rng)
        checked_rigid(start, "start")
        initial.append(mean_tre_mm(phantom_case, start, truth))
        shares.append(rotation_angle_deg(inverse(body) @ start))
    assert lower_mm <= min(initial) and max(initial) <= lower_mm + 5 + 1e-4
    # they fill the bin; in the first one, above what the bending alone makes
    assert min(initial) < lower_mm + (3 if lower_mm == 0 else 1) and max(initial) > lower_mm + 4
    # most starts are both shifted and turned
    assert np.median(shares) > 0.3 * lower_mm


def test_without_bending_a_start_has_its_tre_from_the_body(phantom_case: Case) -> None:
    body = body_pose(phantom_case, list(phantom_case.levels))
    truth = dict.fromkeys(phantom_case.levels, body)
    start = start_between(phantom_case, body, truth, 7.0, 7.0, np.random.default_rng(0))
    assert mean_tre_mm(phantom_case, start, truth) == pytest.approx(7.0, abs=1e-4)
    again = start_between(phantom_case, body, truth, 7.0, 7.0, np.random.default_rng(0))
    assert np.array_equal(start, again)


def test_levels_beyond_the_bin_have_no_start_in_it(phantom_case: Case) -> None:
    body = body_pose(phantom_case, list(phantom_case.levels))
    moved = body.copy()
    moved[:3, 3] += [6.0, 0, 0]
    with pytest.raises(ValueError, match=r"6\.0 mm"):
        start_between(phantom_case, body, dict.fromkeys(phantom_case.levels, moved), 0, 5, np.random.default_rng(0))


def mean_tre_mm(case: Case, start: np.ndarray, truth: dict[str, np.ndarray]) -> float:
    found = Poses("carm_base", {level: LevelPose(start) for level in truth})
    true = Poses("carm_base", {level: LevelPose(pose) for level, pose in truth.items()})
    return float(np.mean([error.tre_mm for error in evaluate(case, found, true)]))
