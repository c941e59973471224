"""RegM without a reconstruction: from what RecM sums the images up in straight to a rigid motion, for comparison."""

import torch
from torch import nn

from radgs_core.reconstruction.gaussian_head import GaussianBatch
from radgs_core.registration.regm.motion import Motion


class ImageRegM(nn.Module):
    """A network on the images' code alone.

    Args:
        code: numbers that RecM sums the images up in.
        hidden: width of the network.
    """

    def __init__(self, code: int, hidden: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(code, hidden), nn.ReLU(), nn.Linear(hidden, 12))

    def forward(self, reconstruction: GaussianBatch, vertebra: GaussianBatch, effect: torch.Tensor) -> Motion:
        """Motions of B vertebrae from where they were expected; the Gaussians are not looked at."""
        correction, log_deviation = self.layers(effect).float().chunk(2, -1)
        return Motion.of(torch.zeros_like(correction), correction, log_deviation)
