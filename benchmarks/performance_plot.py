"""The plots of docs/performance.md: time over pairs, error over cut-off, and likeness of fits over Gaussians."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from radgs_core.io.atomic import written_atomically

MARKERS = {"gaussians": "o", "pixels": "s", "groups": "^", "views": "D"}
TIMES = {"forward": ("image", "tab:blue"), "forward_backward": ("image and gradient to a pose", "tab:orange")}
WANTED_ERROR = 5e-4
WANTED_PSNR_DB = 38.0


def draw_performance(
    costs: Sequence[Mapping[str, Any]],
    floors: Sequence[Mapping[str, Any]],
    cutoffs: Sequence[Mapping[str, Any]],
    default_sigma: float,
    path: Path,
) -> None:
    """Draw rows of ``engine_scaling.json`` and ``engine.json`` into a PNG.

    Args:
        costs: left, a point a scene; markers say what varies.
        floors: left, dashed, the least time by operations.
        cutoffs: right, error over cut-off.
        default_sigma: which of the cut-offs is marked.
        path: of the PNG; replaced if there.
    """
    figure = Figure(figsize=(10, 4), layout="constrained")
    times, errors = figure.subplots(1, 2)
    ends = np.array([min(row["pairs"] for row in costs), max(row["pairs"] for row in costs)])
    for (what, (label, colour)), floor in zip(TIMES.items(), floors, strict=True):
        for varied, marker in MARKERS.items():
            rows = [row for row in costs if row["varied"] == varied]
            points = [row["pairs"] for row in rows], [1e3 * row[f"{what}_s"] for row in rows]
            times.plot(*points, marker, color=colour, markersize=5)
        least_ms = 1e-6 * floor["operations_ns"] / floor["lanes_used"] * ends
        times.plot(ends, least_ms, "--", color=colour, linewidth=1)
        times.plot([], [], color=colour, label=label)
    for varied, marker in MARKERS.items():
        times.plot([], [], marker, color="grey", label=f"more {varied}")
    times.plot([], [], "--", color="grey", label="floor by operations")
    times.set(xscale="log", yscale="log", xlabel="pairs of a Gaussian and a pixel", ylabel="ms, one thread")
    times.legend(fontsize=8)

    sigmas = [row["cutoff_sigma"] for row in cutoffs]
    errors.plot(sigmas, [row["error"] for row in cutoffs], marker="o")
    errors.axvline(default_sigma, color="grey", linewidth=0.8, linestyle="--")
    errors.axhline(WANTED_ERROR, color="grey", linewidth=0.8, linestyle="--")
    errors.set(
        yscale="log", xlabel="cut-off, standard deviations", ylabel="largest error, of the image's largest value"
    )
    with written_atomically(path) as temporary:
        figure.savefig(temporary, format="png", dpi=120, metadata={"Software": None})


def draw_fit(curve: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draw the rows ``curve`` of ``fit.json`` into a PNG, replaced if there: PSNR over the number of Gaussians."""
    figure = Figure(figsize=(5, 3.5), layout="constrained")
    axes = figure.subplots()
    for level in dict.fromkeys(row["level"] for row in curve):
        rows = sorted((row for row in curve if row["level"] == level), key=lambda row: row["count"])
        axes.plot([row["count"] for row in rows], [row["psnr_db"] for row in rows], marker="o", label=level)
    axes.axhline(WANTED_PSNR_DB, color="grey", linewidth=0.8, linestyle="--")
    axes.set(xlabel="Gaussians", ylabel="PSNR of the worst view, dB")
    axes.legend()
    with written_atomically(path) as temporary:
        figure.savefig(temporary, format="png", dpi=120, metadata={"Software": None})
