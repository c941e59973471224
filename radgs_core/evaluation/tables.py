"""Results as tables for people."""

import math
from collections.abc import Mapping, Sequence

from rich.table import Table

from radgs_core.evaluation.protocol import LevelError
from radgs_core.evaluation.summary import Summary


def level_table(errors: Sequence[LevelError]) -> Table:
    """One row a level."""
    views = list(errors[0].depth_mm)
    table = Table(title="Target registration error, mm")
    for name in ("level", "verdict", "TRE", "expected", *(f"along {view} depth" for view in views)):
        table.add_column(name, justify="left" if name in ("level", "verdict") else "right")
    for error in errors:
        depths = (f"{error.depth_mm[view]:.2f}" for view in views)
        table.add_row(error.label, error.status, f"{error.tre_mm:.2f}", _number(error.expected_tre_mm), *depths)
    return table


def summary_table(summaries: Mapping[str, Summary], title: str = "All levels, TRE in mm") -> Table:
    """One column a summary."""
    table = Table(title=title)
    table.add_column("")
    for name in summaries:
        table.add_column(name, justify="right")
    rows = [_rows(summary) for summary in summaries.values()]
    for key in rows[0]:
        table.add_row(key, *(row[key] for row in rows))
    return table


def _rows(summary: Summary) -> Mapping[str, str]:
    return {
        "levels": str(summary.levels),
        "mean ± std": f"{summary.mean_mm:.2f} ± {summary.std_mm:.2f}",
        "median": f"{summary.median_mm:.2f}",
        "95th percentile": f"{summary.p95_mm:.2f}",
        "maximum": f"{summary.max_mm:.2f}",
        **{f"mean along {view} depth": f"{depth:.2f}" for view, depth in summary.depth_mm.items()},
        "below 2 mm": f"{summary.success_2mm:.0%}",
        "below 1 mm": f"{summary.success_1mm:.0%}",
        "registered": str(summary.registered),
        "of them above 2 mm (wrong accepts)": str(summary.wrong_accepts),
        "rejected": str(summary.rejected),
        "of them below 1 mm (needless rejects)": str(summary.needless_rejects),
        "within the 95 % bound of the expected error": _share(summary.bound_coverage),
    }


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _share(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.0%}"
