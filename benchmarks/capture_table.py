"""The capture range as a table for people, and as rows for build/bench."""

from collections.abc import Sequence

from rich.table import Table

from benchmarks.report import Row
from radgs_core.evaluation import CaptureBin, Trial

COLUMNS = {
    "initial_tre_mm": "initial TRE, mm",
    "studies": "studies",
    "levels": "levels",
    "success_2mm": "below 2 mm",
    "success_1mm": "below 1 mm",
    "median_tre_mm": "median TRE, mm",
    "p95_tre_mm": "95th percentile, mm",
    "wrong_accepts": "wrong accepts",
    "rejected": "rejected",
    "needless_rejects": "needless rejects",
}
"""Keys of a row, and what people read."""


def bin_rows(bins: Sequence[CaptureBin]) -> list[Row]:
    """One row a bin, with the keys of ``COLUMNS`` and the bin's bounds; where nothing was tried, None."""
    return [_bin_row(each) for each in bins]


def start_rows(trials: Sequence[Trial]) -> list[Row]:
    """One row a level that was registered."""
    return [
        {
            "seed": trial.study,
            "level": trial.error.label,
            "initial_tre_mm": trial.initial_tre_mm,
            "tre_mm": trial.error.tre_mm,
            "status": trial.error.status,
        }
        for trial in trials
    ]


def capture_table(bins: Sequence[CaptureBin], title: str) -> Table:
    """One row a bin."""
    table = Table(title=title)
    for heading in COLUMNS.values():
        table.add_column(heading, justify="right")
    for row in bin_rows(bins):
        table.add_row(*cells(row))
    return table


def cells(row: Row) -> list[str]:
    """A row of ``bin_rows`` as text, in the order of ``COLUMNS``."""
    return [_cell(key, row[key]) for key in COLUMNS]


def _cell(key: str, value: float | str | None) -> str:
    if value is None or isinstance(value, str):
        return value or "-"
    if key.startswith("success"):
        return f"{value:.1%}"  # 94.6 % is not enough
    return f"{value:.2f}" if key.endswith("_mm") else f"{value:.0f}"


def _bin_row(each: CaptureBin) -> Row:
    summary = each.summary
    return {
        "initial_tre_mm": f"{each.lower_mm:g} to {each.upper_mm:g}",
        "lower_mm": each.lower_mm,
        "upper_mm": each.upper_mm,
        "studies": each.studies,
        "levels": each.levels,
        "success_2mm": summary.success_2mm if summary else None,
        "success_1mm": summary.success_1mm if summary else None,
        "median_tre_mm": summary.median_mm if summary else None,
        "p95_tre_mm": summary.p95_mm if summary else None,
        "wrong_accepts": summary.wrong_accepts if summary else None,
        "rejected": summary.rejected if summary else None,
        "needless_rejects": summary.needless_rejects if summary else None,
    }
