"""Sizes of RecM."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from radgs_core.reconstruction.crops import CropSize


@dataclass(frozen=True)
class RecMPreset:
    """How large RecM is, and what it starts from.

    Attributes:
        crop: what it sees of a level.
        anchors: ``grid``: Gaussians on a regular grid in the vertebra's cube; ``ct``: those of the prepared vertebra.
        gaussians: how many; those of a grid are the product of three whole numbers.
        channels: of the features.
        blocks: residual blocks of an encoder at its final resolution.
        code: numbers that the images are summed up in.
        hidden: width of the head's network on each Gaussian.
        counterfactual: whether the effect of attention is used (CAL), or the attention itself.
    """

    crop: CropSize
    anchors: Literal["grid", "ct"]
    gaussians: int
    channels: int
    blocks: int
    code: int
    hidden: int
    counterfactual: bool = True


PRESETS = MappingProxyType(
    {
        "paper": RecMPreset(CropSize(128, 128.0), "grid", 10_000, 128, 8, 512, 256),
        "cpu": RecMPreset(CropSize(64, 96.0), "ct", 750, 64, 4, 256, 96),
    }
)
