import io
import math

import pytest
from rich.console import Console
from scipy import stats

from radgs_core.evaluation import LevelError, summarise
from radgs_core.evaluation.summary import BOUND_PER_EXPECTED
from radgs_core.evaluation.tables import level_table, summary_table

ERRORS = [
    LevelError("T9", "registered", 0.5, 0.4, {"ap": 0.1, "lateral": 0.3}),
    LevelError("T10", "registered", 1.0, 0.4, {"ap": 0.2, "lateral": 0.3}),
    LevelError("T11", "registered", 2.5, None, {"ap": 0.3, "lateral": 0.3}),
    LevelError("T12", "rejected", 0.8, 0.9, {"ap": 0.4, "lateral": 0.3}),
    LevelError("L1", "rejected", 10.2, 9.0, {"ap": 1.5, "lateral": 0.8}),
]


def test_errors_of_all_levels_count() -> None:
    summary = summarise(ERRORS)
    assert summary.levels == 5
    assert summary.mean_mm == pytest.approx(3.0)
    # deviations -2.5, -2, -0.5, -2.2, 7.2: squares sum to 67.18
    assert summary.std_mm == pytest.approx(math.sqrt(67.18 / 5))
    assert summary.median_mm == 1.0
    # between the fourth and the fifth of five, at 0.95 * 4 = 3.8
    assert summary.p95_mm == pytest.approx(2.5 + 0.8 * (10.2 - 2.5))
    assert summary.max_mm == 10.2
    assert summary.success_2mm == pytest.approx(3 / 5)
    assert summary.success_1mm == pytest.approx(2 / 5)  # 1.0 is not below 1
    assert summary.depth_mm == {"ap": pytest.approx(0.5), "lateral": pytest.approx(0.4)}


def test_verdicts() -> None:
    summary = summarise(ERRORS)
    assert (summary.registered, summary.rejected) == (3, 2)
    assert summary.wrong_accepts == 1  # T11
    assert summary.needless_rejects == 1  # T12


def test_a_limit_itself_is_neither_success_nor_wrong() -> None:
    summary = summarise([LevelError("L1", "registered", 2.0), LevelError("L2", "rejected", 1.0)])
    assert summary.success_2mm == 0.5
    assert summary.wrong_accepts == summary.needless_rejects == 0


def test_coverage_is_of_registered_levels_with_an_expectation() -> None:
    # T9: 0.5 within 1.614 * 0.4 = 0.65; T10: 1.0 is not; T11 expects nothing; the others are rejected
    assert summarise(ERRORS).bound_coverage == 0.5
    assert math.isnan(summarise(ERRORS[2:]).bound_coverage)
    assert stats.chi2.cdf(3 * BOUND_PER_EXPECTED**2, 3) == pytest.approx(0.95)


def test_no_geometry_no_depth() -> None:
    assert summarise([LevelError("L1", "registered", 0.5)]).depth_mm == {}


def shown(table: object) -> list[list[str]]:
    """The cells of a table as text."""
    console = Console(file=io.StringIO(), width=200)
    console.print(table)
    rows = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    return [[cell.strip() for cell in row.strip("│").split("│")] for row in rows if row.startswith("│")]


def test_tables() -> None:
    rows = shown(level_table(ERRORS))
    assert rows[0] == ["T9", "registered", "0.50", "0.40", "0.10", "0.30"]
    assert rows[2][3] == "-"
    rows = dict(shown(summary_table({"plain": summarise(ERRORS)})))
    assert rows["mean ± std"] == "3.00 ± 3.67"
    assert rows["below 2 mm"] == "60%"
    assert rows["mean along ap depth"] == "0.50"
    assert rows["of them above 2 mm (wrong accepts)"] == "1"
    rows = shown(summary_table({"a": summarise(ERRORS), "b": summarise(ERRORS[2:])}))
    assert rows[-1][1:] == ["50%", "-"]
