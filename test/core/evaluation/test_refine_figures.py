"""What `benchmarks.refine` reports, and under which name."""

import pytest

from radgs_core.evaluation import LevelError

LEVELS = ["T9", "T10", "T11", "T12", "L1"]


def test_the_figures_that_are_compared_are_there() -> None:
    from benchmarks.refine_figures import capture_figures, peer_figures, refined_figures
    from benchmarks.studies import Outcome

    def outcome(tre_mm: float, seconds: float) -> Outcome:
        return Outcome([LevelError(level, "registered", tre_mm, 0.4, {"ap": 0.1}) for level in LEVELS], seconds)

    ours = [outcome(0.2, 0.5), outcome(0.4, 1.5)]
    figures = refined_figures({"plain": [outcome(0.1, 7.0)], "realistic": ours})
    figures |= peer_figures([outcome(0.9, 100.0)], [outcome(0.6, 200.0)], ours) | capture_figures(25.0)
    expected = {
        "plain_median_tre_mm": 0.1,
        "realistic_median_tre_mm": 0.3,
        "seconds_five_levels": 1.0,
        "peer_rigid_median_tre_mm": 0.9,
        "peer_median_tre_mm": 0.6,
        "peer_time_ratio": 200.0,
        "capture_range_mm": 25.0,
    }
    assert {key: figures[key] for key in expected} == pytest.approx(expected)


def test_the_time_of_other_numbers_of_levels_is_not_that_of_five() -> None:
    from benchmarks.refine_figures import refined_figures
    from benchmarks.studies import Outcome

    four = Outcome([LevelError(level, "registered", 0.2) for level in LEVELS[:4]], 1.0)
    assert "seconds_five_levels" not in refined_figures({"realistic": [four]})


@pytest.mark.parametrize(
    ("levels", "left_out", "name"),
    [
        (LEVELS, 0, "refine"),
        (LEVELS, 3, "refine_part"),
        (["T5", "T6"], 0, "refine_tuning"),
        (["T5"], 3, "refine_tuning"),
    ],
)
def test_only_the_whole_benchmark_replaces_its_figures(levels: list[str], left_out: int, name: str) -> None:
    from benchmarks.studies import report_name

    assert report_name("refine", levels, left_out) == name
