"""From the crops of both views to one feature map a view."""

import torch
from torch import nn

from radgs_core.layers import ChannelNorm, Residual
from radgs_core.reconstruction.crops import CHANNELS


class ViewEncoder(nn.Module):
    """A residual network on one view; the resolution ends at a quarter of the crop's.

    Args:
        channels: of the features.
        blocks: residual blocks at the final resolution; every second one looks twice as far.
    """

    def __init__(self, channels: int, blocks: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(CHANNELS, channels // 2, 5, stride=2, padding=2),
            nn.ReLU(),
            nn.Conv2d(channels // 2, channels, 3, stride=2, padding=1),
            *[Residual(channels, dilation=1 + number % 2) for number in range(blocks)],
            ChannelNorm(channels),
        )

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        """(B, channels, px / 4, px / 4) features of crops (B, CHANNELS, px, px)."""
        features: torch.Tensor = self.layers(crops.contiguous(memory_format=torch.channels_last))
        return features


class Fusion(nn.Module):
    """Tells each view what the other sees at the same height.

    Crops are upright on the vertebra, so what lies in one row of a view lies near the same row of the other, anywhere
    along it: each view is given the mean over every row of the other's features.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.joins = nn.ModuleList(nn.Conv2d(2 * channels, channels, 1) for _ in range(2))
        self.after = nn.ModuleList(Residual(channels) for _ in range(2))

    def forward(self, ap: torch.Tensor, lateral: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Fused features of both views, each (B, channels, h, w)."""
        fused = []
        for number, (own, other) in enumerate(((ap, lateral), (lateral, ap))):
            rows = other.mean(3, keepdim=True).expand_as(own)
            fused.append(self.after[number](own + self.joins[number](torch.cat([own, rows], 1))))
        return fused[0], fused[1]
