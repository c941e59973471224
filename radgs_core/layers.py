"""Layers that the networks share."""

import torch
from torch import nn
from torch.nn import functional


class ChannelNorm(nn.Module):
    """Layer normalisation (Ba et al., 2016) over the channels of each pixel of (B, C, ...) images or volumes.

    It mixes neither samples nor pixels, and on CPUs its gradient is far cheaper than group normalisation's.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        last = functional.layer_norm(x.movedim(1, -1), self.weight.shape, self.weight, self.bias)
        return last.movedim(-1, 1)


class Residual(nn.Module):
    """x plus two 3 x 3 convolutions of it, each after normalisation and a rectifier (He et al., ECCV 2016)."""

    def __init__(self, channels: int, dilation: int = 1) -> None:
        super().__init__()
        last = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(last.weight)  # begins as the identity
        self.body = nn.Sequential(
            ChannelNorm(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=dilation, dilation=dilation),
            ChannelNorm(channels),
            nn.ReLU(),
            last,
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.body(x)
