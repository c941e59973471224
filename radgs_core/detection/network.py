"""The detection network: an image of one view to a heat map for every landmark of every level.

A U-Net (Ronneberger et al., MICCAI 2015) of residual blocks, one for both views, which are told apart by an input. It
is trained for one patient, so it knows the levels by their looks, and counts none.
"""

import itertools
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from radgs_core.layers import Residual
from radgs_core.xray.normalisation import CHANNELS

HEAT_MAP_STRIDE = 2
"""Pixels of the input for one of the heat maps."""


@dataclass(frozen=True)
class DetectionSize:
    """How large a detection network is.

    Attributes:
        channels: at each scale, from half of the input's resolution on, halving from one to the next.
        blocks: residual blocks at the coarsest scale.
    """

    channels: tuple[int, ...] = (32, 48, 96, 128)
    blocks: int = 3


class DetectionNetwork(nn.Module):
    """Heat maps and visibility.

    Args:
        landmarks: how many of all levels together.
        size: how large the network is.
    """

    def __init__(self, landmarks: int, size: DetectionSize = DetectionSize()) -> None:
        super().__init__()
        self.size = size
        channels = size.channels
        self.stem = nn.Conv2d(CHANNELS + 1, channels[0], 5, stride=2, padding=2)
        self.before = nn.ModuleList(Residual(a) for a in channels[:-1])
        self.down = nn.ModuleList(nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in itertools.pairwise(channels))
        self.bottom = nn.Sequential(*[Residual(channels[-1]) for _ in range(size.blocks)])
        self.across = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in itertools.pairwise(channels))
        self.up = nn.ModuleList(Residual(a) for a in channels[:-1])
        self.maps = nn.Conv2d(channels[0], landmarks, 1)
        self.visible = nn.Linear(channels[-1], landmarks)

    def forward(self, images: torch.Tensor, lateral: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Heat maps of images.

        Args:
            images: (B, 3, H, W) as `images.network_input` makes them; H and W multiples of 16.
            lateral: (B,) 1 for lateral images, 0 for AP.

        Returns:
            (B, N, H / 2, W / 2) float32 logarithms of unnormalised probabilities of each landmark's place, and (B, N)
            float32 logits of its being in the image.
        """
        flag = lateral.to(images.dtype)[:, None, None, None].expand(-1, 1, *images.shape[2:])
        x = self.stem(torch.cat([images, flag], 1).contiguous(memory_format=torch.channels_last))
        skips = []
        for before, down in zip(self.before, self.down, strict=True):
            x = before(x)
            skips.append(x)
            x = down(x)
        x = self.bottom(x)
        visible = self.visible(x.mean((2, 3)))
        for across, up, skip in reversed(list(zip(self.across, self.up, skips, strict=True))):
            x = up(skip + functional.interpolate(across(x), scale_factor=2.0, mode="nearest"))
        return self.maps(x).float(), visible.float()
