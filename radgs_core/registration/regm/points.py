"""RegM on Gaussians: reconstruction against the CT's vertebra, anchor by anchor, to a rigid motion.

Where RecM moved its anchors, which are the CT's own Gaussians, tells for each of them where it should be. A network
weighs them, the weighted least-squares rigid motion follows in closed form, and what the network sees left over
corrects it.
"""

import torch
from torch import nn

from radgs_core.reconstruction.gaussian_head import GaussianBatch
from radgs_core.registration.regm.motion import Motion, rigid_fit

PLACE_SCALE_MM, SHIFT_SCALE_MM = 40.0, 5.0


class PointRegM(nn.Module):
    """Residual network on corresponding Gaussians.

    Args:
        code: numbers that RecM sums the images up in; they tell how certain the motion is.
        hidden: width of the network on each Gaussian.
    """

    def __init__(self, code: int, hidden: int) -> None:
        super().__init__()
        self.each = nn.Sequential(nn.Linear(9, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU())
        self.weight = nn.Linear(hidden, 1)
        self.correction, self.log_deviation = nn.Linear(hidden, 6), nn.Linear(hidden, 6)
        self.summing_up = nn.ModuleList(
            nn.Sequential(nn.Linear(2 * hidden + code, hidden), nn.ReLU(), last)
            for last in (self.correction, self.log_deviation)
        )
        for layer in (self.weight, self.correction, self.log_deviation):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, reconstruction: GaussianBatch, vertebra: GaussianBatch, effect: torch.Tensor) -> Motion:
        """Motions of B vertebrae from where they were expected.

        Args:
            reconstruction: what RecM made of the images, from these anchors.
            vertebra: the CT's Gaussians where they are expected, the anchors.
            effect: (B, code) of the reconstruction.
        """
        shift = reconstruction.means_mm - vertebra.means_mm
        numbers = torch.cat(
            [
                vertebra.means_mm / PLACE_SCALE_MM,
                shift / SHIFT_SCALE_MM,
                vertebra.scales_mm.log().mean(-1, keepdim=True),
                (vertebra.densities_per_mm / 0.01)[..., None],
                (reconstruction.densities_per_mm / 0.01)[..., None],
            ],
            -1,
        )
        features = self.each(numbers)
        real = vertebra.real
        weights = self.weight(features).float()[..., 0].clamp(-8, 8).exp() * real
        twist = rigid_fit(vertebra.means_mm, shift, weights)
        mean = (features * real[..., None]).sum(1) / real.sum(1, keepdim=True)
        largest = features.masked_fill(~real[..., None], -torch.inf).amax(1)
        summary = torch.cat([mean, largest, effect.to(features.dtype)], -1)
        correction, log_deviation = (network(summary).float() for network in self.summing_up)
        return Motion.of(twist, correction, log_deviation)
