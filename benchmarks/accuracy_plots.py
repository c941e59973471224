"""Pictures of what `benchmarks.accuracy` measured."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from radgs_core.evaluation.summary import BOUND_PER_EXPECTED, GOOD_MM, SUCCESS_MM
from radgs_core.io.atomic import written_atomically

Rows = Sequence[Mapping[str, Any]]

LEAST_SHOWN_MM, MOST_SHOWN_MM = 0.05, 50.0
"""Of the TRE."""


def draw_success(records: Rows, names: Mapping[str, str], path: Path) -> None:
    """How many of the levels that both views show have a TRE below a limit, over the limit.

    Args:
        records: rows of ``level_rows``.
        names: of the systems to draw, by key.
        path: of the PNG; replaced if there.
    """
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.subplots()
    for key, name in names.items():
        tre = np.sort([row["tre_mm"] for row in records if row["system"] == key and row["visible"]])
        if len(tre):
            share = 100 * np.arange(1, len(tre) + 1) / len(tre)
            ends = min(LEAST_SHOWN_MM, tre[0]), max(MOST_SHOWN_MM, tre[-1])
            axes.step(np.r_[ends[0], tre, ends[1]], np.r_[0, share, 100], where="post", label=name)
    for limit in (GOOD_MM, SUCCESS_MM):
        axes.axvline(limit, color="grey", linewidth=0.8, linestyle="--")
    axes.set(xscale="log", xlim=(LEAST_SHOWN_MM, MOST_SHOWN_MM), ylim=(0, 102), xlabel="TRE, mm")
    axes.set_ylabel("levels with a smaller TRE, %")
    axes.legend(fontsize="small")
    _save(figure, path)


def draw_calibration(records: Rows, path: Path) -> None:
    """What was expected of registered levels, and what it was.

    Left, each level's TRE over its expected error, with the 95 % bound; right, how many lie within the bound of any
    nominal coverage, which is on the diagonal if errors are normal, alike in all directions, and as large as expected.

    Args:
        records: rows of ``level_rows`` of one system.
        path: of the PNG; replaced if there.
    """
    figure = Figure(figsize=(10, 4.5), layout="constrained")
    errors, coverage = figure.subplots(1, 2)
    known = [row for row in records if row["status"] == "registered" and row["expected_tre_mm"]]
    expected, tre = (np.array([row[key] for row in known], dtype=float) for key in ("expected_tre_mm", "tre_mm"))
    errors.scatter(expected, tre, s=8)
    _draw_bound(errors, expected)
    nominal = np.linspace(0.01, 0.99, 99)
    within = (tre <= np.sqrt(stats.chi2.ppf(nominal, 3) / 3)[:, None] * expected).mean(1) if known else nominal * np.nan
    coverage.plot(100 * nominal, 100 * within)
    coverage.plot([0, 100], [0, 100], color="grey", linewidth=0.8, linestyle="--")
    share = (tre <= BOUND_PER_EXPECTED * expected).mean() if known else np.nan
    coverage.set(xlim=(0, 100), ylim=(0, 102), xlabel="nominal coverage, %", ylabel="levels within the bound, %")
    coverage.set_title(f"{share:.1%} of {len(known)} levels within the 95 % bound", fontsize="medium")
    _save(figure, path)


def _draw_bound(axes: Axes, expected: np.ndarray) -> None:
    if len(expected):
        line = np.array([expected.min(), expected.max()])
        axes.plot(line, line, color="grey", linewidth=0.8, label="as expected")
        axes.plot(line, BOUND_PER_EXPECTED * line, color="grey", linewidth=0.8, linestyle="--", label="95 % bound")
        axes.legend(fontsize="small")
        axes.set(xscale="log", yscale="log")
    axes.set(xlabel="expected error, mm", ylabel="TRE, mm")


def _save(figure: Figure, path: Path) -> None:
    with written_atomically(path) as temporary:
        figure.savefig(temporary, format="png", dpi=120, metadata={"Software": None})
