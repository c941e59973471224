"""P_full: RecM and RegM adapt to real X-rays, whose poses nobody knows.

What can be known of a real pair is how well a rendering agrees with it. One level of every second exposure takes part.
For one half of these, drawn anew in every step, the pose is taken for known and the reconstruction has to explain the
crops (only RecM learns); for the other the volume is known, because it is the CT's, and the pose has to (RecM and RegM
learn). Simulated exposures of known poses take part in every step, so that nothing is forgotten.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from radgs_core.networks import LevelNetworks
from radgs_core.radgs import RadiativeGaussians, rasterize
from radgs_core.reconstruction.crops import CropSize
from radgs_core.reconstruction.gaussian_head import slightly_moved
from radgs_core.training.devices import to_device
from radgs_core.training.level_batch import LevelBatch, LevelSampler, joined_levels
from radgs_core.training.level_losses import agreement, view_of
from radgs_core.training.level_task import LevelTask, applied
from radgs_core.training.scenes import Scene
from radgs_core.training.task import Losses, Validation

AGREEMENT_WEIGHT = 2.0
VALIDATION_DRAWS, VALIDATION_SEED = 8, 1_000_037


@dataclass(frozen=True)
class SynergisticBatch:
    """Simulated levels of known poses, and levels of real exposures, whose ``twist`` and ``places`` mean nothing."""

    simulated: LevelBatch
    real: LevelBatch


class SynergisticTask:
    """RecM and RegM on simulated and on real exposures; see `Task`.

    Args:
        known: draws and judges simulated exposures.
        sampler: of the same patient.
        pairs: real exposures of this patient; their poses are where a detection or a registration without truth puts
            body and levels.
        networks: that ``known`` trains.
        configuration: JSON values that name the pairs.
    """

    def __init__(
        self,
        known: LevelTask,
        sampler: LevelSampler,
        pairs: Sequence[Scene],
        networks: LevelNetworks,
        configuration: Mapping[str, Any],
    ) -> None:
        self._known, self._sampler, self._pairs = known, sampler, pairs
        self._crop: CropSize = networks.recm.preset.crop
        self.module: nn.Module = known.module
        self.configuration: Mapping[str, Any] = {**known.configuration, "task": "synergistic", **configuration}
        drawn = [
            sampler.about(pairs[i % len(pairs)], np.random.default_rng([VALIDATION_SEED, i]))
            for i in range(VALIDATION_DRAWS)
        ]
        self._validation = joined_levels(drawn)

    def sample(self, rng: np.random.Generator) -> SynergisticBatch:
        """One simulated exposure and a real one."""
        pair = self._pairs[int(rng.integers(len(self._pairs)))]
        return SynergisticBatch(self._known.sample(rng), self._sampler.about(pair, rng))

    def collate(self, samples: Sequence[SynergisticBatch]) -> SynergisticBatch:
        """One batch of several."""
        return SynergisticBatch(
            joined_levels([sample.simulated for sample in samples]), joined_levels([sample.real for sample in samples])
        )

    def loss(self, module: nn.Module, batch: SynergisticBatch) -> Losses:
        """The supervised losses on simulated levels, and on real ones what disagrees with the X-rays."""
        both = joined_levels([batch.simulated, batch.real])
        found = applied(module, both)
        count = len(batch.simulated.twist)
        supervised = self._known.losses_of(found.first(count), batch.simulated)
        real = torch.zeros((), device=batch.real.twist.device)
        for number in batch.real.rendered.nonzero()[:, 0].tolist():
            if batch.real.seed[number] % 2 == 0:
                gaussians = found.gaussians.of(count + number)
            else:
                gaussians = _at_found_pose(batch.real, number, found.motion.twist[count + number])
            real = real + batch.real.rendered[number] * (1 - self._agreement(gaussians, batch.real, number))
        real = real / batch.real.exposures
        return Losses(supervised.total + AGREEMENT_WEIGHT * real, {**supervised.parts, "real": real})

    def validate(self, module: nn.Module) -> Validation:
        """On simulated exposures, and by how much renderings of the CT at found poses disagree with the real ones; both
        weigh as in the loss."""
        known = self._known.validate(module)
        batch = to_device(self._validation, next(module.parameters()).device)
        twist = applied(module, batch).motion.twist
        agreements = [
            float(self._agreement(_at_found_pose(batch, number, twist[number]), batch, number))
            for number in range(len(twist))
        ]
        real = 1 - float(np.mean(agreements))
        metrics = {"simulated_tre_mm": known.score, "real": real, **known.metrics}
        return Validation(known.score + AGREEMENT_WEIGHT * real, metrics)

    def _agreement(self, gaussians: RadiativeGaussians, batch: LevelBatch, number: int) -> torch.Tensor:
        level = batch.level
        directions = level.directions[number].cpu().double().numpy()
        cameras = [view_of(direction, self._crop.mm, self._crop.px) for direction in directions]
        whole = torch.eye(4, dtype=torch.float64, device=gaussians.means_mm.device)[None]
        own = torch.stack(rasterize(gaussians, cameras, whole))
        images = level.images[number]
        return agreement(images[:, 1], batch.around[number] + own, images[:, 2], own, self._crop.window_px)


def _at_found_pose(batch: LevelBatch, number: int, twist: torch.Tensor) -> RadiativeGaussians:
    """The CT's Gaussians of a level after a twist (6,); gradients go to the twist."""
    return slightly_moved(batch.vertebra[number : number + 1], twist[None]).of(0)
