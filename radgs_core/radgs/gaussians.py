"""The parameters of a set of radiative Gaussians."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation


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

    def moved(self, T_target_source: NDArray[np.float64]) -> "RadiativeGaussians":
        """The same Gaussians in another frame, by a rigid transform (4, 4), mm; on the CPU, without gradients."""
        transform = torch.as_tensor(T_target_source)
        axes = Rotation.from_quat(self.quaternions.detach().double().numpy()[:, [1, 2, 3, 0]])
        turned = (Rotation.from_matrix(T_target_source[:3, :3]) * axes).as_quat()[:, [3, 0, 1, 2]]
        dtype = self.means_mm.dtype
        return RadiativeGaussians(
            (self.means_mm.detach().double() @ transform[:3, :3].T + transform[:3, 3]).to(dtype),
            self.scales_mm.detach(),
            torch.as_tensor(turned, dtype=dtype),
            self.densities_per_mm.detach(),
        )


def joined(parts: Sequence[RadiativeGaussians]) -> tuple[RadiativeGaussians, torch.Tensor]:
    """All Gaussians as one set, and which part each is of, (N,) int64."""
    together = RadiativeGaussians(
        torch.cat([part.means_mm for part in parts]),
        torch.cat([part.scales_mm for part in parts]),
        torch.cat([part.quaternions for part in parts]),
        torch.cat([part.densities_per_mm for part in parts]),
    )
    return together, torch.cat([torch.full((len(part),), index) for index, part in enumerate(parts)])
