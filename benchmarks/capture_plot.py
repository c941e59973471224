"""The capture range as a picture: where levels started and ended, and how many succeeded."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from radgs_core.evaluation.capture_range import LEAST_SUCCESS
from radgs_core.evaluation.summary import GOOD_MM, SUCCESS_MM
from radgs_core.io.atomic import written_atomically

COLOURS = {"registered": "tab:blue", "rejected": "tab:orange"}


def draw_capture(starts: Sequence[Mapping[str, Any]], bins: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draw the rows of ``capture_table`` into a PNG.

    Args:
        starts: one row a level; left, its final TRE over its initial one.
        bins: one row a bin; right, success over initial TRE.
        path: of the PNG; replaced if there.
    """
    figure = Figure(figsize=(10, 4), layout="constrained")
    ends, success = figure.subplots(1, 2, sharex=True)
    for status, colour in COLOURS.items():
        rows = [row for row in starts if row["status"] == status]
        initial, final = [row["initial_tre_mm"] for row in rows], [row["tre_mm"] for row in rows]
        ends.scatter(initial, final, s=8, color=colour, label=f"{status} ({len(rows)})")
    for limit in (GOOD_MM, SUCCESS_MM):
        ends.axhline(limit, color="grey", linewidth=0.8, linestyle="--")
    ends.set(yscale="log", ylabel="final TRE of a level, mm")
    ends.legend()

    tried = [row for row in bins if row["levels"]]
    centres = [(row["lower_mm"] + row["upper_mm"]) / 2 for row in tried]
    for key, limit in (("success_2mm", SUCCESS_MM), ("success_1mm", GOOD_MM)):
        success.plot(centres, [100 * row[key] for row in tried], marker="o", label=f"below {limit:g} mm")
    success.axhline(100 * LEAST_SUCCESS, color="grey", linewidth=0.8, linestyle="--")
    success.set(ylim=(0, 105), ylabel="levels of a bin, %")
    success.legend(loc="lower left")
    for axes in (ends, success):
        axes.set(xlim=(0, max(row["upper_mm"] for row in bins)), xlabel="initial TRE of a level, mm")
    with written_atomically(path) as temporary:
        figure.savefig(temporary, format="png", dpi=120, metadata={"Software": None})
