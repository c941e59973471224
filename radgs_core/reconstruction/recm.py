"""RecM: two crops of a level to its radiative Gaussians, with counterfactual attention."""

from dataclasses import dataclass

import torch
from torch import nn

from radgs_core.reconstruction.attended_motion import TYPICAL_SHIFT_MM, AttendedMotion
from radgs_core.reconstruction.attention import AttentionMaps, mean_places, pooled, random_like, uniform_like
from radgs_core.reconstruction.crops import DIRECTION_NUMBERS, Crops
from radgs_core.reconstruction.encoder import Fusion, ViewEncoder
from radgs_core.reconstruction.gaussian_head import GaussianBatch, GaussianHead, changed, slightly_moved
from radgs_core.reconstruction.places import PLACES
from radgs_core.reconstruction.presets import RecMPreset

VIEWS = 2


@dataclass(frozen=True)
class LevelInput:
    """What the networks are given of B levels; all but ``anchors`` as in `Crops`.

    Attributes:
        images: (B, 2, CHANNELS, px, px).
        directions: (B, 2, 4).
        places: (B, 2, 27, 2).
        place_motion: (B, 2, 27, 2, 6).
        matching: (B, 2, 28, SHIFTS).
        alignment: (B, 2, R, 6, 7).
        anchors: what the Gaussians are before the images are looked at.
    """

    images: torch.Tensor
    directions: torch.Tensor
    places: torch.Tensor
    place_motion: torch.Tensor
    matching: torch.Tensor
    alignment: torch.Tensor
    anchors: GaussianBatch

    @classmethod
    def of(cls, crops: Crops, anchors: GaussianBatch) -> "LevelInput":
        """Of crops and the anchors of their levels."""
        return cls(
            crops.images,
            crops.directions,
            crops.places,
            crops.place_motion,
            crops.matching,
            crops.alignment,
            anchors,
        )


@dataclass(frozen=True)
class Reconstruction:
    """What RecM makes of B levels.

    Attributes:
        gaussians: the vertebrae, each in the frame of its expected pose.
        effect: (B, code) what attention tells about the images; with CAL, less what counterfactual attention tells.
        attention: (B, 2, 27, h, w) maps over the crops of both views, each adding up to 1.
        shift_mm: (B, 2, 27, 2) by how much the places have moved in the crops, mm at the vertebra's depth.
    """

    gaussians: GaussianBatch
    effect: torch.Tensor
    attention: torch.Tensor
    shift_mm: torch.Tensor


class RecM(nn.Module):
    """Reconstructs levels.

    Args:
        preset: sizes, and what anchors there are.
    """

    def __init__(self, preset: RecMPreset) -> None:
        super().__init__()
        self.preset = preset
        self.encoders = nn.ModuleList(ViewEncoder(preset.channels, preset.blocks) for _ in range(VIEWS))
        self.fusion = Fusion(preset.channels)
        self.attention = nn.ModuleList(AttentionMaps(preset.channels, PLACES) for _ in range(VIEWS))
        self.motion = AttendedMotion(preset.channels, preset.crop.mm / preset.crop.px)
        self.to_code = nn.Linear(VIEWS * PLACES * (preset.channels + 2), preset.code)
        self.from_directions = nn.Linear(VIEWS * DIRECTION_NUMBERS, preset.code)
        self.layers = nn.Sequential(nn.ReLU(), nn.Linear(preset.code, preset.code), nn.ReLU())
        self.head = GaussianHead(preset.code, preset.hidden)

    def forward(self, level: LevelInput) -> Reconstruction:
        """Reconstruct B levels."""
        ap, lateral = (encoder(level.images[:, view]) for view, encoder in enumerate(self.encoders))
        features = self.fusion(ap, lateral)
        maps = torch.stack([attention(f) for attention, f in zip(self.attention, features, strict=True)], 1)
        seen, attended_mm = self._pooled(features, maps, level)
        twist, shift_mm = self.motion(seen, attended_mm, level.matching, level.place_motion, level.alignment)
        effect = self._code(seen, shift_mm, level)
        changes = self.head(effect, level.anchors)
        if self.preset.counterfactual:
            other = random_like(maps) if self.training else uniform_like(maps)
            seen_elsewhere, _ = self._pooled(features, other, level)
            unseen = self._code(seen_elsewhere, torch.zeros_like(shift_mm), level)
            changes, effect = changes - self.head(unseen, level.anchors), effect - unseen
        gaussians = changed(slightly_moved(level.anchors, twist), changes)
        return Reconstruction(gaussians, effect.float(), maps, shift_mm)

    def _pooled(
        self, features: tuple[torch.Tensor, ...], maps: torch.Tensor, level: LevelInput
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, 2, 27, channels) of what is seen, and (B, 2, 27, 2) how far from the expected places it is, mm."""
        seen = torch.stack([pooled(f, maps[:, view]) for view, f in enumerate(features)], 1)
        places = torch.stack([mean_places(maps[:, view]) for view in range(VIEWS)], 1)
        return seen, (places - level.places) * self.preset.crop.mm / 2

    def _code(self, seen: torch.Tensor, shift_mm: torch.Tensor, level: LevelInput) -> torch.Tensor:
        numbers = torch.cat([seen, shift_mm / TYPICAL_SHIFT_MM], -1).flatten(1)
        code: torch.Tensor = self.layers(self.to_code(numbers) + self.from_directions(level.directions.flatten(1)))
        return code
