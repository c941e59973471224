"""Statistics over levels and cases."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from radgs_core.evaluation.protocol import LevelError

SUCCESS_MM = 2.0
GOOD_MM = 1.0
"""A registered level above the first is a wrong accept, a rejected one below the second a needless reject."""

BOUND_PER_EXPECTED = math.sqrt(stats.chi2.ppf(0.95, 3) / 3)
"""95 % bound of the TRE as a multiple of the expected one: the quantile of the length of an isotropic normal
displacement whose root mean square is 1."""


@dataclass(frozen=True)
class Summary:
    """TRE and verdicts of many levels. All levels count for the errors and the successes, rejected ones too.

    Attributes:
        levels: how many.
        mean_mm, std_mm, median_mm, p95_mm, max_mm: of the TRE; ``std_mm`` divides by the number of levels.
        success_2mm, success_1mm: share of levels with a TRE below 2 and below 1 mm.
        registered, rejected: how many of each.
        wrong_accepts: registered levels with a TRE above 2 mm.
        needless_rejects: rejected levels with a TRE below 1 mm.
        bound_coverage: share of registered levels with an expected error whose TRE is within its 95 % bound; NaN if
            there are none.
        depth_mm: per view, the mean error along its depth axis; empty when unknown.
    """

    levels: int
    mean_mm: float
    std_mm: float
    median_mm: float
    p95_mm: float
    max_mm: float
    success_2mm: float
    success_1mm: float
    registered: int
    rejected: int
    wrong_accepts: int
    needless_rejects: int
    bound_coverage: float
    depth_mm: Mapping[str, float]


def summarise(errors: Sequence[LevelError]) -> Summary:
    """Statistics of at least one level."""
    tre = np.array([error.tre_mm for error in errors])
    registered = [error for error in errors if error.status == "registered"]
    rejected = [error for error in errors if error.status == "rejected"]
    within = [
        error.tre_mm <= BOUND_PER_EXPECTED * error.expected_tre_mm
        for error in registered
        if error.expected_tre_mm is not None
    ]
    return Summary(
        levels=len(errors),
        mean_mm=float(tre.mean()),
        std_mm=float(tre.std()),
        median_mm=float(np.median(tre)),
        p95_mm=float(np.percentile(tre, 95)),
        max_mm=float(tre.max()),
        success_2mm=float((tre < SUCCESS_MM).mean()),
        success_1mm=float((tre < GOOD_MM).mean()),
        registered=len(registered),
        rejected=len(rejected),
        wrong_accepts=sum(error.tre_mm > SUCCESS_MM for error in registered),
        needless_rejects=sum(error.tre_mm < GOOD_MM for error in rejected),
        bound_coverage=float(np.mean(within)) if within else math.nan,
        depth_mm={view: float(np.mean([error.depth_mm[view] for error in errors])) for view in errors[0].depth_mm},
    )
