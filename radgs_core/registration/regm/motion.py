"""A rigid motion with its uncertainty, and the one that fits displacements best."""

from dataclasses import dataclass

import torch

TURN_PER_MM = 1 / 40.0
"""Brings turns (rad) and shifts (mm) to one size: a turn moves points about 40 mm from the centre."""
TYPICAL_MM = 2.0
"""What a correction of 1, and a deviation whose logarithm is 0, stand for."""
SMALLEST_WEIGHT = 1e-3


@dataclass(frozen=True)
class Motion:
    """B motions of a vertebra in the frame of where it was expected, about that frame's origin.

    Attributes:
        twist: (B, 6) ``(v, omega)``, mm and rad; ``exp_se3`` of it maps the expected pose to the found one:
            ``T_reference_found = T_reference_expected @ exp_se3(twist)``.
        deviation: (B, 6) standard deviation of each of its numbers, mm and rad.
    """

    twist: torch.Tensor
    deviation: torch.Tensor

    @classmethod
    def of(cls, twist: torch.Tensor, correction: torch.Tensor, log_deviation: torch.Tensor) -> "Motion":
        """A motion (B, 6) corrected by what networks put out, numbers (B, 6) of a size about 1."""
        scale = TYPICAL_MM * torch.tensor([1.0, 1.0, 1.0, TURN_PER_MM, TURN_PER_MM, TURN_PER_MM], device=twist.device)
        return cls(twist + scale * correction, scale * log_deviation.clamp(-6, 4).exp())


def rigid_fit(points_mm: torch.Tensor, shifts_mm: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """The twist (B, 6) whose small motion ``v + omega x p`` comes nearest to given displacements.

    Weighted least squares; to first order in the rotation, which a residual network and the next pass make up for.

    Args:
        points_mm: (B, N, 3) about the origin.
        shifts_mm: (B, N, 3).
        weights: (B, N) positive.
    """
    weights = weights / weights.sum(1, keepdim=True)
    x, y, z = points_mm.unbind(-1)
    zero, one = torch.zeros_like(x), torch.ones_like(x)
    rows = torch.stack(
        [
            torch.stack([one, zero, zero, zero, z, -y], -1),
            torch.stack([zero, one, zero, -z, zero, x], -1),
            torch.stack([zero, zero, one, y, -x, zero], -1),
        ],
        2,
    )
    with torch.autocast(points_mm.device.type, enabled=False):  # normal equations square what rounding leaves
        weighted = rows * weights[..., None, None]
        normal = torch.einsum("bnik,bnil->bkl", weighted, rows)
        right = torch.einsum("bnik,bni->bk", weighted, shifts_mm)
        twist: torch.Tensor = torch.linalg.solve(normal + SMALLEST_WEIGHT * torch.eye(6, device=normal.device), right)
    return twist
