"""The parameters of a set of radiative Gaussians."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class RadiativeGaussians:
    """A volume of linear attenuation as a sum of anisotropic Gaussians (docs/method.md).

    Attributes:
        means_mm: (N, 3) centres.
        scales_mm: (N, 3) standard deviations along the principal axes, positive.
        quaternions: (N, 4) rotation of the principal axes as (w, x, y, z); normalised where used.
        densities_per_mm: (N,) peak linear attenuation, 1/mm. May be negative: a vertebra is modelled as what it adds to
            soft tissue.
    """

    means_mm: torch.Tensor
    scales_mm: torch.Tensor
    quaternions: torch.Tensor
    densities_per_mm: torch.Tensor

    def __post_init__(self) -> None:
        n = self.means_mm.shape[0]
        for name, shape in (
            ("means_mm", (n, 3)),
            ("scales_mm", (n, 3)),
            ("quaternions", (n, 4)),
            ("densities_per_mm", (n,)),
        ):
            if tuple(getattr(self, name).shape) != shape:
                raise ValueError(f"{name} must have shape {shape}, but has {tuple(getattr(self, name).shape)}.")

    def __len__(self) -> int:
        return self.means_mm.shape[0]

    def to(self, target: torch.dtype | torch.device) -> "RadiativeGaussians":
        """The same Gaussians in another floating-point type or on another device."""
        return RadiativeGaussians(
            self.means_mm.to(target),
            self.scales_mm.to(target),
            self.quaternions.to(target),
            self.densities_per_mm.to(target),
        )
