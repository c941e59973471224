"""The fit of Gaussians to every whole vertebra of the example CT: likeness in views it does not use, and time.

Of L2, whose lowest slice is the CT's last, what the CT has of it is fitted.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch is imported, see radgs_core.cli

import dataclasses
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from rich.table import Table

from benchmarks.fit_views import VertebraViews
from benchmarks.report import Row, report
from benchmarks.studies import part
from radgs_core.commands.output import print_table
from radgs_core.commands.progress import shown_progress
from radgs_core.io.ct import read_ct
from radgs_core.io.example import example_ct
from radgs_core.io.labels import read_labels
from radgs_core.preparation.separation import separate
from radgs_core.progress import Progress
from radgs_core.radgs.fitting import DEFAULT_GAUSSIANS, fit_gaussians
from radgs_core.volume import Volume

LEVELS = [*(f"T{n}" for n in range(1, 13)), "L1", "L2"]
CURVE_LEVELS = ["T3", "T8", "L2"]
CURVE_COUNTS = [125, 250, 500, 750, 1000, 1500, 2000]
AIR_HU = -1000


@dataclass(frozen=True)
class FitResult:
    """One level's fit.

    Attributes:
        level: which.
        count: of Gaussians.
        seconds: wall clock of the fit, ray casting its targets included.
        cpu_seconds: the processor's time of this process.
        psnr_db, whole_psnr_db: of the worst view.
        mean_psnr_db, bias: over the views; see `Likeness`.
    """

    level: str
    count: int
    seconds: float
    cpu_seconds: float
    psnr_db: float
    mean_psnr_db: float
    whole_psnr_db: float
    bias: float


def main() -> None:
    """Measure, print tables, and report."""
    report("fit", *measured_fit())


def measured_fit() -> tuple[dict[str, float], dict[str, Sequence[Row]]]:
    """Fit all levels, some with other numbers of Gaussians too, and print; returns figures and tables to report."""
    excesses = excesses_of_example()
    results = fitted_levels(excesses)
    of_curve = [(level, count) for count in CURVE_COUNTS for level in CURVE_LEVELS]
    with shown_progress("curve") as progress:
        curve = [
            fitted(level, excesses[level], count, part(progress, number, len(of_curve), f"{level}, {count} Gaussians"))
            for number, (level, count) in enumerate(of_curve)
        ]
    _print("Fit, PSNR in dB", results)
    _print("PSNR against the number of Gaussians", curve)
    tables = {"levels": results, "curve": curve}
    return figures_of(results), {name: [dataclasses.asdict(row) for row in rows] for name, rows in tables.items()}


def excesses_of_example() -> Mapping[str, Volume]:
    """What every level of `LEVELS` attenuates more than soft tissue, 1/mm."""
    ct_path, labels_path = example_ct()
    ct = read_ct(ct_path)
    labels = read_labels(labels_path, ct)
    # a slice of air below, because a vertebra at the border is refused
    padded = dataclasses.replace(labels, volume=_padded(labels.volume, 0))
    separated = separate(_padded(ct, AIR_HU), padded, LEVELS)
    return {level: crop.excess for level, crop in separated.crops.items()}


def fitted_levels(excesses: Mapping[str, Volume]) -> list[FitResult]:
    """All levels with the default number of Gaussians."""
    with shown_progress("warming up") as progress:
        fit_gaussians(next(iter(excesses.values())), progress)
    with shown_progress("fit") as progress:
        return [
            fitted(level, excess, DEFAULT_GAUSSIANS, part(progress, number, len(excesses), level))
            for number, (level, excess) in enumerate(excesses.items())
        ]


def figures_of(results: Sequence[FitResult]) -> dict[str, float]:
    """The worst view of the worst level, and the slowest level."""
    return {
        "fit_min_psnr_db": min(r.psnr_db for r in results),
        "fit_min_whole_psnr_db": min(r.whole_psnr_db for r in results),
        "fit_seconds": max(r.seconds for r in results),
        "fit_mean_seconds": float(np.mean([r.seconds for r in results])),
        "fit_gaussians": max(r.count for r in results),
        "threads": torch.get_num_threads(),
    }


def fitted(level: str, excess: Volume, count: int, progress: Progress) -> FitResult:
    """Fit one level, and look at it."""
    began, cpu_began = time.monotonic(), time.process_time()
    gaussians = fit_gaussians(excess, progress, count=count)
    seconds, cpu_seconds = time.monotonic() - began, time.process_time() - cpu_began
    likeness = VertebraViews.of(excess).likeness(gaussians)
    return FitResult(
        level,
        len(gaussians),
        seconds,
        cpu_seconds,
        psnr_db=min(each.psnr_db for each in likeness),
        mean_psnr_db=float(np.mean([each.psnr_db for each in likeness])),
        whole_psnr_db=min(each.whole_psnr_db for each in likeness),
        bias=float(np.mean([each.bias for each in likeness])),
    )


def _padded(volume: Volume, value: int) -> Volume:
    T_ct_voxel = volume.T_ct_voxel.copy()
    T_ct_voxel[:3, 3] = volume.points_mm(np.array([0, 0, -1]))
    return Volume(np.pad(volume.data, ((0, 0), (0, 0), (1, 0)), constant_values=value), T_ct_voxel)


def _print(title: str, results: Sequence[FitResult]) -> None:
    table = Table(title=title)
    for field in dataclasses.fields(FitResult):
        table.add_column(field.name, justify="right")
    for result in results:
        values = dataclasses.astuple(result)
        table.add_row(*(f"{value:.4g}" if isinstance(value, float) else str(value) for value in values))
    print_table(table)


if __name__ == "__main__":
    main()
