"""What `benchmarks.refine` reports."""

import statistics
from collections.abc import Mapping, Sequence

from benchmarks.studies import Outcome
from radgs_core.evaluation import Summary, summarise

LEVELS_OF_THE_TIME = 5
"""Times are compared for as many levels."""


def total(outcomes: Sequence[Outcome]) -> Summary:
    """All levels of all studies."""
    return summarise([error for outcome in outcomes for error in outcome.errors])


def refined_figures(outcomes: Mapping[str, Sequence[Outcome]]) -> dict[str, float]:
    """Figures of the refinement.

    Args:
        outcomes: by physics, ``realistic`` among them; keys begin with the physics.
    """
    figures = {key: value for name, each in outcomes.items() for key, value in _figures_of(name, each).items()}
    if all(len(outcome.errors) == LEVELS_OF_THE_TIME for outcome in outcomes["realistic"]):
        figures["seconds_five_levels"] = figures["realistic_seconds"]
    return figures


def peer_figures(rigid: Sequence[Outcome], per_level: Sequence[Outcome], ours: Sequence[Outcome]) -> dict[str, float]:
    """Figures of both variants of the peer beside those of the refinement on the same studies."""
    return _peer_figures_of("peer_rigid", rigid, ours) | _peer_figures_of("peer", per_level, ours)


def capture_figures(capture_range_mm: float) -> dict[str, float]:
    """The capture range beside the other figures; `benchmarks.capture_range` reports the rest."""
    return {"capture_range_mm": capture_range_mm}


def _figures_of(name: str, outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Figures of the refinement, their keys beginning with ``name``."""
    summary = total(outcomes)
    figures = {
        **_errors(summary),
        **{f"{view}_depth_mm": depth for view, depth in summary.depth_mm.items()},
        "levels": summary.levels,
        "registered": summary.registered,
        "rejected": summary.rejected,
        "wrong_accepts": summary.wrong_accepts,
        "needless_rejects": summary.needless_rejects,
        "bound_coverage": summary.bound_coverage,
        "seconds": _mean_seconds(outcomes),
    }
    return {f"{name}_{key}": float(value) for key, value in figures.items()}


def _peer_figures_of(name: str, outcomes: Sequence[Outcome], ours: Sequence[Outcome]) -> dict[str, float]:
    """Figures of a peer, which gives no verdicts.

    Args:
        name: what the keys begin with.
        outcomes: of the peer.
        ours: of the refinement, on the same studies.
    """
    summary = total(outcomes)
    figures = {
        **_errors(summary),
        "levels": summary.levels,
        "seconds": _mean_seconds(outcomes),
        "time_ratio": _mean_seconds(outcomes) / _mean_seconds(ours),
        "median_tre_mm_of_ours": total(ours).median_mm,
    }
    return {f"{name}_{key}": float(value) for key, value in figures.items()}


def _errors(summary: Summary) -> dict[str, float]:
    return {
        "median_tre_mm": summary.median_mm,
        "success_2mm": summary.success_2mm,
        "success_1mm": summary.success_1mm,
        "mean_tre_mm": summary.mean_mm,
        "std_tre_mm": summary.std_mm,
        "p95_tre_mm": summary.p95_mm,
        "max_tre_mm": summary.max_mm,
    }


def _mean_seconds(outcomes: Sequence[Outcome]) -> float:
    return statistics.mean(outcome.seconds for outcome in outcomes)
