"""The rasterizer and the voxelizer: speed beside peers in the same run, errors, cost against size; and the fit.

One thread each. The rasterizer draws 5000 Gaussians all over a cube of 100 mm, which just fits the image of 256 x 256
pixels with all of its Gaussians; nanodrr ray casts 256 x 256 x 133 voxels of the same scene with 150 samples a ray.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch is imported, see radgs_core.cli
os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import dataclasses
from collections.abc import Sequence

import torch
from rich.table import Table

from benchmarks import fit
from benchmarks.engine_accuracy import cutoff_errors, exact_image, image_errors, volume_errors
from benchmarks.engine_floor import floors_of
from benchmarks.engine_peak import measured_peak
from benchmarks.engine_peer import peer_difference
from benchmarks.engine_scaling import SCENES, Cost, cost_of
from benchmarks.engine_speed import rasterizer_speeds, voxelizer_speed
from benchmarks.report import Row, report
from radgs_core.commands.messages import shown_messages
from radgs_core.commands.output import print_table
from radgs_core.radgs.rasterizer import DEFAULT_CUTOFF_SIGMA


def main() -> None:
    """Measure, print tables, and report."""
    arguments = _parser().parse_args()
    torch.set_num_threads(1)
    with shown_messages():
        _measure_scaling()
        speeds = [*rasterizer_speeds(), voxelizer_speed()]
        errors, by_cutoff = image_errors() | volume_errors(), cutoff_errors(exact_image())
    tables: dict[str, Sequence[Row]] = {
        "speed": [{**dataclasses.asdict(speed), "ratio": speed.ratio} for speed in speeds],
        "errors": [{"of": name, "error": error} for name, error in errors.items()],
        "cutoffs": [{"cutoff_sigma": cutoff, "error": error} for cutoff, error in by_cutoff.items()],
    }
    for name, rows in tables.items():
        _print(name, rows)
    figures: dict[str, float] = {
        **{f"{speed.what}_ratio": speed.ratio for speed in speeds},
        "max_relative_error": max(errors.values()),
        "cutoff_error": by_cutoff[DEFAULT_CUTOFF_SIGMA],
        "peer_difference": peer_difference(),
    }
    if not arguments.without_fit:
        figures |= _fit_figures()
    report("engine", figures, tables)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engine", description=__doc__)
    parser.add_argument("--without-fit", action="store_true", help="leave out the fit, which takes minutes")
    return parser


def _fit_figures() -> dict[str, float]:
    """Runs the benchmark of the fit, on all cores."""
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    figures, tables = fit.measured_fit()
    report("fit", figures, tables)
    return {key: figures[key] for key in ("fit_min_psnr_db", "fit_seconds")}


def _measure_scaling() -> None:
    costs = [cost_of(scene) for scene in SCENES]
    largest = max((cost for cost in costs if cost.scene.varied == "gaussians"), key=lambda cost: cost.pairs)
    peak = measured_peak()
    floors = floors_of(largest, peak)
    tables: dict[str, Sequence[Row]] = {
        "costs": [_row(cost) for cost in costs],
        "floors": [dataclasses.asdict(floor) for floor in floors],
    }
    for name, rows in tables.items():
        _print(name, rows)
    report("engine_scaling", {**dataclasses.asdict(peak), **{f"{f.what}_ns": f.reached_ns for f in floors}}, tables)


def _row(cost: Cost) -> Row:
    row = dataclasses.asdict(cost)
    return {**row.pop("scene"), **row}


def _print(title: str, rows: Sequence[Row]) -> None:
    table = Table(title=title)
    for column in rows[0]:
        table.add_column(column, justify="right")
    for row in rows:
        table.add_row(*(f"{value:.4g}" if isinstance(value, float) else str(value) for value in row.values()))
    print_table(table)


if __name__ == "__main__":
    main()
