"""Attention maps, what they pool, and what they would pool if they looked elsewhere.

Bilinear attention pooling (Hu et al., "See better before looking closer", 2019), and counterfactual attention learning
(Rao et al., ICCV 2021): only the difference that attention makes is used further on, so that it cannot pay to look at
what is there anyway.
"""

import torch
from torch import nn
from torch.nn import functional

SHARPNESS = 4.0
"""Standard deviation of the logarithms of random attention."""


class AttentionMaps(nn.Module):
    """K maps over the features of one view, each adding up to 1."""

    def __init__(self, channels: int, maps: int) -> None:
        super().__init__()
        self.logits = nn.Conv2d(channels, maps, 1, bias=False)  # a map does not change with it

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """(B, K, h, w) float32 of features (B, channels, h, w)."""
        logits: torch.Tensor = self.logits(features).float()
        return logits.flatten(2).softmax(-1).view_as(logits)


def pooled(features: torch.Tensor, attention: torch.Tensor) -> torch.Tensor:
    """(B, K, channels) float32: means of features (B, channels, h, w) under every map (B, K, h, w)."""
    return torch.einsum("bkhw,bchw->bkc", attention, features.float())


def mean_places(attention: torch.Tensor) -> torch.Tensor:
    """(B, K, 2) mean column and row, -1 to 1 between the borders of the crop, of maps (B, K, h, w)."""
    x, y = (cell_places(size, attention.device) for size in (attention.shape[3], attention.shape[2]))
    return torch.stack([(attention.sum(2) * x).sum(-1), (attention.sum(3) * y).sum(-1)], -1)


def cell_places(size: int, device: torch.device) -> torch.Tensor:
    """(size,) where the cells of a map lie in its crop, -1 to 1."""
    return (2 * torch.arange(size, device=device) + 1) / size - 1


def uniform_like(attention: torch.Tensor) -> torch.Tensor:
    """Counterfactual attention for inference: everything alike."""
    return torch.full_like(attention, 1 / attention.shape[-2:].numel())


def random_like(attention: torch.Tensor) -> torch.Tensor:
    """Counterfactual attention for training: anywhere, as smooth blobs of random place and size, drawn from torch's
    global generator."""
    noise = torch.randn(*attention.shape[:-2], 6, 6, device=attention.device, dtype=attention.dtype).flatten(0, -4)
    logits = functional.interpolate(SHARPNESS * noise, attention.shape[-2:], mode="bilinear")
    return logits.flatten(2).softmax(-1).view_as(attention)
