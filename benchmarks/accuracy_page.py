"""The section of docs/results that shows what `benchmarks.accuracy` left."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.accuracy_plots import draw_calibration, draw_success
from benchmarks.accuracy_rows import NETWORK_ONLY, OURS, WITH_START
from benchmarks.accuracy_tables import (
    ABLATION_COLUMNS,
    COMPARISON_COLUMNS,
    ablation_rows,
    comparison_rows,
    markdown_table,
    reference_lines,
)
from benchmarks.capture_plot import draw_capture
from benchmarks.capture_table import COLUMNS as CAPTURE_COLUMNS
from benchmarks.capture_table import cells
from radgs_core.evaluation.reconstruction import SIDE, SSIM_WINDOW, VOXEL_MM, WINDOW_PER_MM

START_PLOT, SUCCESS_PLOT, CALIBRATION_PLOT = "accuracy_start.png", "accuracy_success.png", "accuracy_calibration.png"
DRAWN = OURS, NETWORK_ONLY, WITH_START, "peer"
"""Systems in the plot of successes, those of them that were measured."""
POPULATION = (
    "TRE, successes, rejects and reconstructions are those of the levels that both views show (70 % of the surface on"
    " usable pixels at the true pose); wrong accepts are counted over all levels."
)
RECONSTRUCTION = (
    f"SSIM (mean over cubes of {SSIM_WINDOW} voxels on a side) and PSNR of the excess attenuation of bone,"
    f" {SIDE} voxels of {VOXEL_MM:g} mm along each axis about the vertebra's true centroid, for a range of"
    f" {WINDOW_PER_MM:g}/mm. Most of these voxels are empty, so see the figures against:"
)


def accuracy_parts(content: Mapping[str, Any], folder: Path) -> list[str]:
    """Both tables, the share of each stage, the capture range, and the plots, which are drawn into the folder."""
    systems = content["systems"]
    reached = {row["system"]: row["capture_range_mm"] for row in content["captures"]}
    parts = [
        POPULATION + "\n",
        "### As the paper's first table\n",
        markdown_table(COMPARISON_COLUMNS, comparison_rows(systems, reached)),
        RECONSTRUCTION + "\n",
        "\n".join(f"- {line}" for line in reference_lines(content["references"])) + "\n",
        "### As the paper's second table\n",
        markdown_table(ABLATION_COLUMNS, ablation_rows(systems)),
        "### Time of each stage\n",
        markdown_table(("system", "stage", "seconds", "share"), _stages(content["stages"])),
    ]
    names = {row["system"]: row["name"] for row in systems if row["system"] in DRAWN and not row["missing"]}
    draw_success(content["records"], names, folder / SUCCESS_PLOT)
    parts += ["### Success\n", f"![Share of levels over TRE]({SUCCESS_PLOT})\n"]
    if content["starts"]:
        draw_capture(content["starts"], content["bins"], folder / START_PLOT)
        rows = [cells(row) for row in content["bins"]]
        parts += [
            f"### Starts ({', '.join(reached)})\n",
            markdown_table(tuple(CAPTURE_COLUMNS.values()), rows),
            f"![Final TRE and success over initial TRE]({START_PLOT})\n",
        ]
    if names:
        key = next(iter(names))
        draw_calibration([row for row in content["records"] if row["system"] == key], folder / CALIBRATION_PLOT)
        parts += [f"### Calibration ({names[key]})\n", f"![TRE over expected error]({CALIBRATION_PLOT})\n"]
    return parts


def ablation_parts(content: Mapping[str, Any]) -> list[str]:
    """Only the table of the ablation."""
    return [POPULATION + "\n", markdown_table(ABLATION_COLUMNS, ablation_rows(content["systems"]))]


def _stages(rows: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    return [[row["system"], row["stage"], f"{row['seconds']:.2f}", f"{row['percent']:.0f} %"] for row in rows]
