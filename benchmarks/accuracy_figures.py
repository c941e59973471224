"""What `benchmarks.accuracy` reports: figures by name, and rows for build/bench."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np

from benchmarks.accuracy_rows import NETWORK_ONLY, OURS, SystemRow
from benchmarks.refine_figures import LEVELS_OF_THE_TIME
from benchmarks.report import Row
from radgs_core.case import Case
from radgs_core.evaluation import (
    Accuracy,
    QualitySummary,
    StudyRecord,
    quality_of_nothing,
    quality_summary,
    reconstruction_quality,
)


def figures(measured: Mapping[str, Accuracy], capture_range_mm: float, levels: int, studies: int) -> dict[str, float]:
    """The benchmark's last line; NaN where a system was not measured.

    Args:
        measured: by key of the row.
        capture_range_mm: of the system with a start; NaN if it was not measured.
        levels: in the case.
        studies: registered by each system.
    """
    ours, network = measured.get(OURS), measured.get(NETWORK_ONLY)
    quality = network.quality if network else None
    return {
        "noprior_median_tre_mm": ours.visible.median_mm if ours else math.nan,
        "noprior_p95_tre_mm": ours.visible.p95_mm if ours else math.nan,
        "noprior_success_2mm": ours.visible.success_2mm if ours else math.nan,
        "capture_range_mm": capture_range_mm,
        "network_only_mtre_mm": network.visible.mean_mm if network else math.nan,
        "ssim_percent": 100 * quality.mean.ssim if quality else math.nan,
        "psnr_db": quality.mean.psnr_db if quality else math.nan,
        "seconds_five_levels": ours.seconds if ours and levels == LEVELS_OF_THE_TIME else math.nan,
        "wrong_accepts": ours.wrong_accepts if ours else math.nan,
        "needless_reject_percent": ours.needless_reject_percent if ours else math.nan,
        "studies": studies,
    }


def system_row(row: SystemRow, accuracy: Accuracy, studies: int) -> Row:
    """All figures of one system; ``visible`` levels unless the key says otherwise."""
    visible, every = accuracy.visible, accuracy.every
    return {
        "system": row.key,
        "name": row.name,
        "missing": "",
        "studies": studies,
        "levels": visible.levels,
        "mean_tre_mm": visible.mean_mm,
        "std_tre_mm": visible.std_mm,
        "median_tre_mm": visible.median_mm,
        "p95_tre_mm": visible.p95_mm,
        "max_tre_mm": visible.max_mm,
        **{f"{view}_depth_mm": depth for view, depth in visible.depth_mm.items()},
        "success_2mm": visible.success_2mm,
        "success_1mm": visible.success_1mm,
        "registered": visible.registered,
        "rejected": visible.rejected,
        "needless_reject_percent": accuracy.needless_reject_percent,
        "bound_coverage": visible.bound_coverage,
        "all_levels": every.levels,
        "all_levels_registered": every.registered,
        "all_levels_median_tre_mm": every.median_mm,
        "all_levels_success_2mm": every.success_2mm,
        "wrong_accepts": accuracy.wrong_accepts,
        "seconds": accuracy.seconds,
        **quality_figures(accuracy.quality),
    }


def missing_row(row: SystemRow, why: str) -> Row:
    """A system that could not be measured."""
    return {"system": row.key, "name": row.name, "missing": why}


def quality_figures(quality: QualitySummary | None) -> dict[str, float]:
    """Figures of reconstructions; none where nothing was reconstructed."""
    if quality is None:
        return {}
    std = {f"{key}_std": value for key, value in asdict(quality.std).items()}
    return {"reconstructed": quality.levels, **asdict(quality.mean), **std}


def reference_rows(case: Case) -> list[Row]:
    """What reconstructions are to be seen against: nothing at all, and the Gaussians fitted to the CT, in place."""
    levels = case.levels.values()
    nothing = quality_summary([quality_of_nothing(vertebra) for vertebra in levels])
    # both in CT coordinates: the identity carries the vertebra to where it was scanned
    fitted = [reconstruction_quality(vertebra, vertebra.gaussians, np.eye(4)) for vertebra in levels]
    return [
        {"name": "an empty reconstruction", **quality_figures(nothing)},
        {"name": "the case's Gaussians at the true pose", **quality_figures(quality_summary(fitted))},
    ]


def stage_rows(accuracies: Mapping[str, Accuracy]) -> list[Row]:
    """Mean seconds of each stage, and its share of the registration, by system."""
    return [
        {"system": key, "stage": stage, "seconds": seconds, "percent": 100 * seconds / accuracy.seconds}
        for key, accuracy in accuracies.items()
        for stage, seconds in accuracy.seconds_by_stage.items()
    ]


def level_rows(records: Mapping[str, Sequence[StudyRecord]]) -> list[Row]:
    """One row a level of every registration."""
    return [
        {
            "system": key,
            "seed": study.seed,
            "level": level.error.label,
            "visible": int(level.visible),
            "status": level.error.status,
            "tre_mm": level.error.tre_mm,
            "expected_tre_mm": level.error.expected_tre_mm,
            "ssim": level.quality.ssim if level.quality else None,
            "psnr_db": level.quality.psnr_db if level.quality else None,
        }
        for key, studies in records.items()
        for study in studies
        for level in study.levels
    ]
