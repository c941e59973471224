"""Training of the detection network on exposures of one patient."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from radgs_core.case import Case
from radgs_core.detection.images import SIZE_PX, canonical_camera, network_input
from radgs_core.detection.landmarks import LANDMARKS, landmarks_ct_mm
from radgs_core.detection.network import HEAT_MAP_STRIDE, DetectionNetwork, DetectionSize
from radgs_core.geometry.rigid import transform_points
from radgs_core.training.devices import to_device
from radgs_core.training.scenes import PatientScenes, SceneSampler
from radgs_core.training.task import Losses, Validation

TARGET_PX = 1.0
"""Standard deviation of a landmark's target in its heat map."""
PLACE_WEIGHT, VISIBLE_WEIGHT = 0.3, 0.2
VALIDATION_SCENES, VALIDATION_SEED = 24, 1_000_003


@dataclass(frozen=True)
class DetectionBatch:
    """Images and where the landmarks are in them; AP and lateral alternate along the first dimension.

    Attributes:
        images: (B, 3, H, W) as the network takes them.
        lateral: (B,) 1 for lateral images, 0 for AP.
        places: (B, N, 2) column and row in the heat map.
        visible: (B, N) 1 where the landmark lies on a usable pixel.
    """

    images: torch.Tensor
    lateral: torch.Tensor
    places: torch.Tensor
    visible: torch.Tensor


class DetectionTask:
    """Finds the landmarks of one patient's levels; see `Task`.

    Args:
        case: the patient.
        scenes: of this patient.
        size: of the network.
        configuration: JSON values that name the patient and how scenes are drawn.
    """

    def __init__(
        self, case: Case, scenes: PatientScenes, size: DetectionSize, configuration: Mapping[str, Any]
    ) -> None:
        self._scenes = scenes.training
        self._landmarks = [landmarks_ct_mm(vertebra) for vertebra in case.levels.values()]
        self.network = DetectionNetwork(len(case.levels) * len(LANDMARKS), size)
        self.module: nn.Module = self.network
        self.configuration: Mapping[str, Any] = {"task": "detection", "size": asdict(size), **configuration}
        generators = (np.random.default_rng([VALIDATION_SEED, i]) for i in range(VALIDATION_SCENES))
        drawn = [self._drawn(scenes.validation, rng) for rng in generators]
        self._validation = self.collate(drawn)

    def sample(self, rng: np.random.Generator) -> DetectionBatch:
        """Both views of one exposure."""
        return self._drawn(self._scenes, rng)

    def _drawn(self, scenes: SceneSampler, rng: np.random.Generator) -> DetectionBatch:
        scene = scenes.scene(rng)
        images = network_input(scene.observations)
        points = np.concatenate(
            [transform_points(pose, p) for pose, p in zip(scene.T_reference_level, self._landmarks, strict=True)]
        )
        pixels = np.stack([canonical_camera(o.camera).project(points) for o in scene.observations])
        nearest = np.rint(pixels).astype(int)
        inside = ((nearest >= 0) & (nearest < SIZE_PX)).all(-1)
        column, row = np.moveaxis(np.clip(nearest, 0, SIZE_PX - 1), -1, 0)
        usable = images[:, -1].numpy()[np.arange(len(pixels))[:, None], row, column]
        return DetectionBatch(
            images,
            torch.tensor([0.0, 1.0]),
            torch.as_tensor((pixels - (HEAT_MAP_STRIDE - 1) / 2) / HEAT_MAP_STRIDE, dtype=torch.float32),
            torch.as_tensor(inside * usable, dtype=torch.float32),
        )

    def collate(self, samples: Sequence[DetectionBatch]) -> DetectionBatch:
        """One batch of several."""
        names = ("images", "lateral", "places", "visible")
        return DetectionBatch(*(torch.cat([getattr(sample, name) for sample in samples]) for name in names))

    def loss(self, module: nn.Module, batch: DetectionBatch) -> Losses:
        """How far heat maps and visibility are from what they should be."""
        losses = detection_losses(module, batch)
        return Losses(losses.total, {"heat": losses.heat, "place": losses.place, "visible": losses.visible})

    def validate(self, module: nn.Module) -> Validation:
        """The same on exposures that are not trained on."""
        losses = detection_losses(module, to_device(self._validation, next(module.parameters()).device))
        return Validation(float(losses.total), {"place": float(losses.place), "visible": float(losses.visible)})


@dataclass(frozen=True)
class DetectionLosses:
    """Means over the images of the means over their visible landmarks (``visible``: over all): an image is one whether
    one process takes a batch or several share it.

    Attributes:
        heat: cross entropy of the heat map against a Gaussian at the landmark.
        place: distance of the heat map's mean from the landmark, its pixels.
        visible: cross entropy of being in the image.
    """

    heat: torch.Tensor
    place: torch.Tensor
    visible: torch.Tensor

    @property
    def total(self) -> torch.Tensor:
        return self.heat + PLACE_WEIGHT * self.place + VISIBLE_WEIGHT * self.visible


def detection_losses(network: torch.nn.Module, batch: DetectionBatch) -> DetectionLosses:
    """Losses of a batch."""
    maps, visible = network(batch.images, batch.lateral)
    height, width = maps.shape[2:]
    x, y = torch.arange(width, device=maps.device), torch.arange(height, device=maps.device)
    by_column = torch.exp(-0.5 * ((x - batch.places[..., :1]) / TARGET_PX) ** 2)
    by_row = torch.exp(-0.5 * ((y - batch.places[..., 1:]) / TARGET_PX) ** 2)
    by_column = by_column / by_column.sum(-1, keepdim=True).clamp_min(1e-6)
    by_row = by_row / by_row.sum(-1, keepdim=True).clamp_min(1e-6)
    log_total = maps.flatten(2).logsumexp(-1)
    expected = torch.einsum("bnhw,bnh,bnw->bn", maps, by_row, by_column)
    share = (maps - log_total[..., None, None]).exp()
    mean = torch.stack([(share.sum(2) * x).sum(-1), (share.sum(3) * y).sum(-1)], -1)
    weight = batch.visible / batch.visible.sum(1, keepdim=True).clamp_min(1.0) / len(batch.visible)
    return DetectionLosses(
        ((log_total - expected) * weight).sum(),
        (functional.smooth_l1_loss(mean, batch.places, reduction="none").sum(-1) * weight).sum(),
        functional.binary_cross_entropy_with_logits(visible, batch.visible),
    )
