"""The two tables of `benchmarks.accuracy`, laid out like those of the paper, from the rows in build/bench."""

from collections.abc import Mapping, Sequence

from rich.table import Table

from benchmarks.accuracy_rows import ROWS, TRIED, SystemRow
from benchmarks.paper_figures import ABLATION_MTRE_MM, COMPARISON
from benchmarks.report import Row

COMPARISON_COLUMNS = (
    "",
    "SSIM, %",
    "PSNR, dB",
    "vertebra's voxels: SSIM, %",
    "vertebra's voxels: PSNR, dB",
    "mTRE, mm",
    "capture range, mm",
    "below 2 mm, %",
    "time, s",
    "levels",
    "of them reconstructed",
    "figures of",
)
ABLATION_COLUMNS = (
    "",
    "mTRE, mm",
    "median",
    "95th percentile",
    "along AP depth",
    "along lateral depth",
    "below 2 mm, %",
    "below 1 mm, %",
    "SSIM, %",
    "PSNR, dB",
    "rejected",
    "needlessly, % of levels",
    "wrong accepts, all levels",
    "within 95 % bound, %",
    "time, s",
    "the paper's mTRE, mm",
)
MEASURED, PAPER = "this run", "the paper, other data, per vertebra"
NOTHING = "-"


def comparison_rows(systems: Sequence[Row], capture_ranges_mm: Mapping[str, float]) -> list[list[str]]:
    """Cells in the order of ``COMPARISON_COLUMNS``: what was measured, then what the paper gives.

    Args:
        systems: rows of ``system_row`` and ``missing_row``.
        capture_ranges_mm: by system, where it was measured.
    """
    measured = [_comparison(row, capture_ranges_mm) for row, known in _known(systems) if "comparison" in known.tables]
    quoted = [
        [
            p.name,
            p.ssim_percent,
            p.psnr_db,
            "",
            "",
            p.mtre_mm,
            p.capture_range_mm,
            p.success_percent,
            p.seconds,
            "",
            "",
            PAPER,
        ]
        for p in COMPARISON
    ]
    return [[cell or NOTHING for cell in row] for row in measured + quoted]


def ablation_rows(systems: Sequence[Row]) -> list[list[str]]:
    """Cells in the order of ``ABLATION_COLUMNS``. Arguments as for ``comparison_rows``."""
    return [_ablation(row, known) for row, known in _known(systems) if "ablation" in known.tables]


def reference_lines(references: Sequence[Row]) -> list[str]:
    """What reconstructions are to be seen against, a line each."""
    return [
        f"{row['name']}: SSIM {_percent(row, 'ssim')} % and PSNR {_number(row, 'psnr_db')} dB over the whole cube,"
        f" {_percent(row, 'vertebra_ssim')} % and {_number(row, 'vertebra_psnr_db')} dB over the vertebra's own voxels"
        for row in references
    ]


def rich_table(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str) -> Table:
    """For a terminal."""
    table = Table(title=title)
    for number, heading in enumerate(columns):
        table.add_column(heading, justify="right" if number else "left")
    for row in rows:
        table.add_row(*row)
    return table


def markdown_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """For a page."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _known(systems: Sequence[Row]) -> list[tuple[Row, SystemRow]]:
    by_key = {row["system"]: row for row in systems}
    return [(by_key[row.key], row) for row in (*ROWS, *TRIED) if row.key in by_key]


def _comparison(row: Row, capture_ranges_mm: Mapping[str, float]) -> list[str]:
    if row["missing"]:
        return [str(row["name"]), *[NOTHING] * (len(COMPARISON_COLUMNS) - 2), f"not measured: {row['missing']}"]
    reached = capture_ranges_mm.get(str(row["system"]))
    return [
        str(row["name"]),
        _percent(row, "ssim", "ssim_std"),
        _number(row, "psnr_db", "psnr_db_std"),
        _percent(row, "vertebra_ssim", "vertebra_ssim_std"),
        _number(row, "vertebra_psnr_db", "vertebra_psnr_db_std"),
        _number(row, "mean_tre_mm", "std_tre_mm"),
        NOTHING if reached is None else f"{reached:g}",
        _percent(row, "success_2mm"),
        _number(row, "seconds"),
        _count(row, "levels"),
        _count(row, "reconstructed"),
        MEASURED,
    ]


def _ablation(row: Row, known: SystemRow) -> list[str]:
    paper = ABLATION_MTRE_MM.get(known.like, NOTHING)
    if row["missing"]:
        return [f"{row['name']}: {row['missing']}", *[NOTHING] * (len(ABLATION_COLUMNS) - 2), paper]
    return [
        str(row["name"]),
        _number(row, "mean_tre_mm", "std_tre_mm"),
        _number(row, "median_tre_mm"),
        _number(row, "p95_tre_mm"),
        _number(row, "ap_depth_mm"),
        _number(row, "lateral_depth_mm"),
        _percent(row, "success_2mm"),
        _percent(row, "success_1mm"),
        _percent(row, "ssim", "ssim_std"),
        _number(row, "psnr_db", "psnr_db_std"),
        _count(row, "rejected"),
        _number(row, "needless_reject_percent"),
        _count(row, "wrong_accepts"),
        _percent(row, "bound_coverage"),
        _number(row, "seconds"),
        paper,
    ]


def _number(row: Row, key: str, spread: str = "", factor: float = 1.0) -> str:
    values = [row.get(each) for each in (key, spread) if each]
    texts = [f"{factor * value:.2f}" for value in values if isinstance(value, (int, float))]
    return " ± ".join(texts) if len(texts) == len(values) else NOTHING


def _percent(row: Row, key: str, spread: str = "") -> str:
    return _number(row, key, spread, 100.0)


def _count(row: Row, key: str) -> str:
    value = row.get(key)
    return f"{value:.0f}" if isinstance(value, (int, float)) else NOTHING
