"""Training of RecM and RegM with known poses: P1 on many patients, P2 on one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from radgs_core.networks import LevelNetworks
from radgs_core.reconstruction.gaussian_head import GaussianBatch
from radgs_core.reconstruction.recm import LevelInput
from radgs_core.registration.regm import Motion
from radgs_core.training import level_losses as losses
from radgs_core.training.devices import to_device
from radgs_core.training.level_batch import LevelBatch, LevelSource, joined_levels
from radgs_core.training.task import Losses, Validation

WEIGHTS = {
    "tre": 1.0,
    "displaced": 0.5,
    "attention": 0.5,
    "shift": 0.5,
    "unexpected": 0.1,
    "rendering": 1.0,
    "voxels": 0.5,
    "chamfer": 0.02,
}
VALIDATION_SCENES, VALIDATION_SEED = 16, 1_000_033


class LevelModule(nn.Module):
    """RecM and RegM as one module of tensors and dictionaries, as trainers of many processes want it."""

    def __init__(self, networks: LevelNetworks) -> None:
        super().__init__()
        self.recm, self.regm = networks.recm, networks.regm

    def forward(
        self,
        images: torch.Tensor,
        numbers: Mapping[str, torch.Tensor],
        anchors: Mapping[str, torch.Tensor],
        vertebra: Mapping[str, torch.Tensor],
    ) -> dict[str, torch.Tensor]:
        """Everything that the losses need, by name."""
        found = self.recm(LevelInput(images, **numbers, anchors=GaussianBatch(**anchors)))
        motion = self.regm(found.gaussians, GaussianBatch(**vertebra), found.effect)
        return {
            **vars(found.gaussians),
            "attention": found.attention,
            "shift_mm": found.shift_mm,
            "twist": motion.twist,
            "deviation": motion.deviation,
        }


@dataclass(frozen=True)
class Applied:
    """What the networks make of a batch; see `Reconstruction` and `Motion`."""

    gaussians: GaussianBatch
    attention: torch.Tensor
    shift_mm: torch.Tensor
    motion: Motion

    def first(self, count: int) -> "Applied":
        """Of the first so many levels."""
        part = slice(count)
        motion = Motion(self.motion.twist[part], self.motion.deviation[part])
        return Applied(self.gaussians[part], self.attention[part], self.shift_mm[part], motion)


def applied(module: nn.Module, batch: LevelBatch) -> Applied:
    """Apply the networks."""
    level = batch.level
    numbers = {name: getattr(level, name) for name in ("directions", "places", "place_motion", "matching", "alignment")}
    out = module(level.images, numbers, vars(level.anchors), vars(batch.vertebra))
    names = ("means_mm", "scales_mm", "quaternions", "densities_per_mm")
    gaussians = GaussianBatch(*(out[name].float() for name in names))
    return Applied(gaussians, out["attention"], out["shift_mm"], Motion(out["twist"], out["deviation"]))


class LevelTask:
    """RecM and RegM; see `Task`.

    Args:
        patients: each draws levels of its own.
        networks: to train.
        validated_on: draws what the networks are validated on.
        configuration: JSON values that name patients and stage.
    """

    def __init__(
        self,
        patients: Sequence[LevelSource],
        networks: LevelNetworks,
        validated_on: LevelSource,
        configuration: Mapping[str, Any],
    ) -> None:
        self._patients = patients
        self._reconstructs = networks.regm_preset.kind != "images"
        self._corresponding = networks.recm.preset.anchors == "ct"
        self._crop = networks.recm.preset.crop
        self.module: nn.Module = LevelModule(networks)
        self.configuration: Mapping[str, Any] = {"task": "levels", **networks.configuration, **configuration}
        drawn = [validated_on.drawn(np.random.default_rng([VALIDATION_SEED, i])) for i in range(VALIDATION_SCENES)]
        self._validation = joined_levels(drawn)

    def sample(self, rng: np.random.Generator) -> LevelBatch:
        """All levels of one exposure of one of the patients."""
        return self._patients[int(rng.integers(len(self._patients)))].drawn(rng)

    def collate(self, samples: Sequence[LevelBatch]) -> LevelBatch:
        """One batch of several."""
        return joined_levels(samples)

    def loss(self, module: nn.Module, batch: LevelBatch) -> Losses:
        """How far poses, Gaussians and attention are from what they should be."""
        return self.losses_of(applied(module, batch), batch)

    def losses_of(self, found: Applied, batch: LevelBatch) -> Losses:
        """The same of what the networks have made of a batch."""
        parts = {
            "tre": batch.mean(losses.tre_mm(found.motion.twist, batch.twist, batch.surface_mm)),
            "attention": batch.mean(losses.attention_loss(found.attention, batch.places)),
            "shift": batch.mean(losses.shift_error_mm(found.shift_mm, batch.level.places, batch.places, self._crop)),
            "unexpected": batch.mean(losses.unexpected(found.motion, batch.twist)),
        }
        if self._reconstructs:
            if self._corresponding:
                parts["displaced"] = batch.mean(losses.displaced_mm(found.gaussians, batch.vertebra, batch.twist))
            parts |= self._reconstruction_losses(found.gaussians, batch)
        total = torch.stack([WEIGHTS[name] * part for name, part in parts.items()]).sum()
        return Losses(total, parts)

    def _reconstruction_losses(self, found: GaussianBatch, batch: LevelBatch) -> dict[str, torch.Tensor]:
        sums = dict.fromkeys(("rendering", "voxels", "chamfer"), torch.zeros((), device=batch.twist.device))
        for number in batch.rendered.nonzero()[:, 0].tolist():
            gaussians = found.of(number)
            true = losses.moved_gaussians(batch.vertebra.of(number), batch.twist[number])
            rng = np.random.default_rng(int(batch.seed[number]))
            of_level = {
                "rendering": losses.rendering_loss(gaussians, true, batch.level.directions[number], self._crop, rng),
                "voxels": losses.voxel_loss(gaussians, true),
                "chamfer": losses.chamfer_mm(gaussians, true.means_mm[batch.vertebra.real[number]]),
            }
            sums = {name: sums[name] + batch.rendered[number] * value for name, value in of_level.items()}
        return {name: value / batch.exposures for name, value in sums.items()}

    def validate(self, module: nn.Module) -> Validation:
        """Mean TRE of levels that are not trained on, in one pass."""
        batch = to_device(self._validation, next(module.parameters()).device)
        found = applied(module, batch)
        tre = losses.tre_mm(found.motion.twist, batch.twist, batch.surface_mm)
        shift = losses.shift_error_mm(found.shift_mm, batch.level.places, batch.places, self._crop)
        metrics = {"median_tre_mm": float(tre.median()), "shift_mm": float(batch.mean(shift))}
        return Validation(float(tre.mean()), metrics)
