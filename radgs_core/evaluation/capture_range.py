"""From how far off a registration still succeeds.

After van de Kraats et al., IEEE TMI 24(9), 2005, doi 10.1109/TMI.2005.853240: starts are sorted into bins by their own
TRE; the capture range ends at the first bin in which fewer than 95 % of the registrations succeed.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from radgs_core.evaluation.protocol import LevelError
from radgs_core.evaluation.summary import Summary, summarise

BIN_EDGES_MM = (0.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0)
"""Of the initial TRE."""
LEAST_SUCCESS = 0.95
"""Share of levels with a final TRE below 2 mm that a bin needs."""


@dataclass(frozen=True)
class Trial:
    """One level of one registration.

    Attributes:
        study: which X-rays it was registered to; levels of one study share a start.
        initial_tre_mm: TRE of the start.
        error: how it ended.
    """

    study: int
    initial_tre_mm: float
    error: LevelError


@dataclass(frozen=True)
class CaptureBin:
    """The trials whose initial TRE is at least ``lower_mm`` and below ``upper_mm``.

    Attributes:
        lower_mm, upper_mm: bounds of the initial TRE.
        studies: from how many studies, and so from how many starts, the trials are.
        summary: of how they ended; None when there are none.
    """

    lower_mm: float
    upper_mm: float
    studies: int
    summary: Summary | None

    @property
    def levels(self) -> int:
        """How many trials."""
        return self.summary.levels if self.summary else 0

    @property
    def success_2mm(self) -> float:
        """Share of trials with a final TRE below 2 mm; NaN when there are none."""
        return self.summary.success_2mm if self.summary else math.nan


def capture_bins(trials: Sequence[Trial], edges_mm: Sequence[float] = BIN_EDGES_MM) -> list[CaptureBin]:
    """Sort trials into bins by the initial TRE of each level; those outside all bins are left out.

    Args:
        trials: of any number of studies.
        edges_mm: (B + 1,) rising bounds of the bins.
    """
    bins = []
    for lower, upper in itertools.pairwise(edges_mm):
        inside = [trial for trial in trials if lower <= trial.initial_tre_mm < upper]
        summary = summarise([trial.error for trial in inside]) if inside else None
        bins.append(CaptureBin(lower, upper, len({trial.study for trial in inside}), summary))
    return bins


def capture_range_mm(bins: Sequence[CaptureBin], least_studies: int) -> float:
    """Upper end of the last bin such that it and all before it succeed in at least 95 %; 0 if the first does not.

    Args:
        bins: rising and adjoining.
        least_studies: levels of one study share a start. With levels of fewer studies, at least of one, a bin shows
            nothing: the range ends before it.
    """
    reached = 0.0
    for each in bins:
        if each.studies < max(1, least_studies) or each.success_2mm < LEAST_SUCCESS:
            break
        reached = each.upper_mm
    return reached
