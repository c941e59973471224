"""From what was pooled to radiative Gaussians: a small network on every anchor, told what the images show.

An anchor is a Gaussian to begin with: on a regular grid in the vertebra's cube, or of the patient's CT. The head
changes it. Where it is moved has an affine part, the same for all anchors, so that a vertebra that is turned or shifted
as a whole need not be learnt anchor by anchor.
"""

from dataclasses import dataclass

import torch
from torch import nn

from radgs_core.radgs import RadiativeGaussians

PARAMETERS = 11
"""Numbers of a Gaussian: centre (3), logarithms of the scales (3), quaternion (4), density (1)."""
ANCHOR_SCALE_MM = 40.0
OFFSET_SCALE_MM = 5.0
DENSITY_SCALE_PER_MM = 0.01


@dataclass(frozen=True)
class GaussianBatch:
    """B sets of N Gaussians, each in the frame of its vertebra where it is expected.

    Attributes:
        means_mm: (B, N, 3).
        scales_mm: (B, N, 3), positive.
        quaternions: (B, N, 4), (w, x, y, z), not normalised.
        densities_per_mm: (B, N).
    """

    means_mm: torch.Tensor
    scales_mm: torch.Tensor
    quaternions: torch.Tensor
    densities_per_mm: torch.Tensor

    def __getitem__(self, index: torch.Tensor | slice) -> "GaussianBatch":
        """The sets that a slice or a tensor of indices chooses."""
        return GaussianBatch(
            self.means_mm[index], self.scales_mm[index], self.quaternions[index], self.densities_per_mm[index]
        )

    @property
    def real(self) -> torch.Tensor:
        """(B, N) false for those without density, which only fill a set up."""
        return self.densities_per_mm != 0

    def of(self, number: int) -> RadiativeGaussians:
        """One of the sets."""
        return RadiativeGaussians(
            self.means_mm[number], self.scales_mm[number], self.quaternions[number], self.densities_per_mm[number]
        )


class GaussianHead(nn.Module):
    """Changes of the anchors.

    Args:
        code: numbers that say what the images show.
        hidden: width of the network on each anchor.
    """

    def __init__(self, code: int, hidden: int) -> None:
        super().__init__()
        self.affine, last = nn.Linear(code, 12), nn.Linear(hidden, PARAMETERS)
        for layer in (self.affine, last):  # begins with the anchors as they are
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        self.from_code = nn.Linear(code, hidden)
        self.from_anchor = nn.Linear(PARAMETERS - 4, hidden)
        self.layers = nn.Sequential(nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), last)

    def forward(self, code: torch.Tensor, anchors: GaussianBatch) -> torch.Tensor:
        """(B, N, 11) changes, for codes (B, code); see `changed` for what they mean."""
        place = anchors.means_mm / ANCHOR_SCALE_MM
        known = torch.cat(
            [place, anchors.scales_mm.log(), anchors.densities_per_mm[..., None] / DENSITY_SCALE_PER_MM], -1
        )
        own = self.layers(self.from_anchor(known) + self.from_code(code)[:, None]).float()
        affine = self.affine(code).float().unflatten(-1, (3, 4))
        shift = (place @ affine[..., :3].mT).float() + affine[:, None, :, 3]
        return torch.cat([own[..., :3] + shift, own[..., 3:]], -1)


def changed(anchors: GaussianBatch, changes: torch.Tensor) -> GaussianBatch:
    """Anchors after changes (B, N, 11): centres in units of ``OFFSET_SCALE_MM``, scales by factors whose logarithm is
    limited to 1, quaternions by addition, densities in units of ``DENSITY_SCALE_PER_MM``; what only fills a set up
    stays without density."""
    densities = anchors.densities_per_mm + DENSITY_SCALE_PER_MM * changes[..., 10]
    return GaussianBatch(
        anchors.means_mm + OFFSET_SCALE_MM * changes[..., :3],
        anchors.scales_mm * changes[..., 3:6].tanh().exp(),
        anchors.quaternions + changes[..., 6:10],
        torch.where(anchors.real, densities, 0.0),
    )


def slightly_moved(gaussians: GaussianBatch, twist: torch.Tensor) -> GaussianBatch:
    """Sets of Gaussians after small rigid motions, twists (B, 6) in mm and rad, to first order in the rotation."""
    v, omega = twist[:, None, :3], twist[:, None, 3:]
    w, xyz = gaussians.quaternions[..., :1], gaussians.quaternions[..., 1:]
    turn = omega.expand_as(xyz) / 2
    # the product of (1, omega / 2) with each quaternion
    real = w - (turn * xyz).sum(-1, keepdim=True)
    imaginary = xyz + w * turn + torch.linalg.cross(turn, xyz)
    return GaussianBatch(
        gaussians.means_mm + v + torch.linalg.cross(omega.expand_as(gaussians.means_mm), gaussians.means_mm),
        gaussians.scales_mm,
        torch.cat([real, imaginary], -1),
        gaussians.densities_per_mm,
    )
