"""What many studies say about a system."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from radgs_core.evaluation.reconstruction import ReconstructionQuality
from radgs_core.evaluation.records import StudyRecord
from radgs_core.evaluation.summary import Summary, summarise


@dataclass(frozen=True)
class QualitySummary:
    """Reconstruction quality over levels; ``mean`` and ``std`` (divided by their number) of each of its figures.

    Attributes:
        levels: how many.
    """

    levels: int
    mean: ReconstructionQuality
    std: ReconstructionQuality


@dataclass(frozen=True)
class Accuracy:
    """A system over all studies.

    Attributes:
        visible: of the levels that both views show: what can be asked of a registration.
        every: of all levels, also those that are beside an image or behind its blades: verdicts must hold for them too.
        quality: of the visible levels that were reconstructed; None if none were.
        seconds: wall clock of a registration of all levels, mean.
        seconds_by_stage: the same by stage.
    """

    visible: Summary
    every: Summary
    quality: QualitySummary | None
    seconds: float
    seconds_by_stage: Mapping[str, float]

    @property
    def needless_reject_percent(self) -> float:
        """Rejected levels with a TRE below 1 mm, as percent of the levels that both views show."""
        return 100 * self.visible.needless_rejects / self.visible.levels

    @property
    def wrong_accepts(self) -> int:
        """Registered levels with a TRE above 2 mm, of all levels."""
        return self.every.wrong_accepts


def accuracy_of(studies: Sequence[StudyRecord]) -> Accuracy:
    """Statistics of studies that show at least one level in both views."""
    levels = [level for study in studies for level in study.levels]
    qualities = [level.quality for level in levels if level.visible and level.quality is not None]
    stages = dict.fromkeys(stage for study in studies for stage in study.seconds_by_stage)
    return Accuracy(
        visible=summarise([level.error for level in levels if level.visible]),
        every=summarise([level.error for level in levels]),
        quality=quality_summary(qualities) if qualities else None,
        seconds=float(np.mean([study.seconds for study in studies])),
        seconds_by_stage={
            stage: float(np.mean([study.seconds_by_stage.get(stage, 0.0) for study in studies])) for stage in stages
        },
    )


def quality_summary(qualities: Sequence[ReconstructionQuality]) -> QualitySummary:
    """Statistics of at least one vertebra."""
    figures = np.array([[q.ssim, q.psnr_db, q.vertebra_ssim, q.vertebra_psnr_db] for q in qualities])
    mean, std = (ReconstructionQuality(*values.tolist()) for values in (figures.mean(0), figures.std(0)))
    return QualitySummary(len(qualities), mean, std)
