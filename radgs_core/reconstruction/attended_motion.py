"""From what is seen at the places of a vertebra to how it has moved.

Where the X-ray fits the rendering of the whole vertebra best is a first shift for all of its places. At each place, in
each view, a small network corrects it by what attention pools there and how well the X-ray fits about that place, and
tells how certain that is. Another one tells how far to trust the alignment of each view. The rigid motion that explains
the shifts and the alignment best follows by weighted least squares: triangulation of all places at once. To first order
in the motion, which the next pass makes up for.
"""

import torch
from torch import nn

from radgs_core.reconstruction.alignment import PARAMETERS, RESOLUTIONS
from radgs_core.reconstruction.matching import REACH_PX, SHIFTS

PRIOR_MM, PRIOR_RAD = 4.0, 0.07
"""Standard deviation of each number of the motion: what a start is off by."""
PLACE_MM = 3.0
"""Standard deviation of the shift of a place with a weight of 1."""
TYPICAL_SHIFT_MM = 5.0
LARGEST_LOG_WEIGHT = 3.0
"""Of what networks trust more or less: a factor of 20 either way."""
TYPICAL_PULL, LARGEST_PULL = 3.0, 10.0
"""How far alignment wants to move one number, in standard deviations of that number alone."""
SMALLEST = 1e-3
"""A matrix that determines nothing."""


class AttendedMotion(nn.Module):
    """Shifts of the places, and the motion they add up to.

    Args:
        channels: numbers pooled by each map.
        mm_per_px: of the crop's pixels.
    """

    candidates_mm: torch.Tensor

    def __init__(self, channels: int, mm_per_px: float) -> None:
        super().__init__()
        last = nn.Linear(channels, 3)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.layers = nn.Sequential(
            nn.Linear(channels + 4 + 2 * SHIFTS, 2 * channels),
            nn.ReLU(),
            nn.Linear(2 * channels, channels),
            nn.ReLU(),
            last,
        )
        trust = nn.Linear(channels, 2 * len(RESOLUTIONS))
        nn.init.zeros_(trust.weight)
        nn.init.zeros_(trust.bias)
        self.trust = nn.Sequential(nn.Linear(channels + PARAMETERS * len(RESOLUTIONS), channels), nn.ReLU(), trust)
        self.log_sharpness = nn.Parameter(torch.tensor(0.0))
        steps = mm_per_px * torch.arange(-REACH_PX, REACH_PX + 1)
        y, x = torch.meshgrid(steps, steps, indexing="ij")
        self.register_buffer("candidates_mm", torch.stack([x, y], -1).reshape(SHIFTS, 2), persistent=False)

    def forward(
        self,
        seen: torch.Tensor,
        attended_mm: torch.Tensor,
        matching: torch.Tensor,
        place_motion: torch.Tensor,
        alignment: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Twists (B, 6) about the origin of the vertebra's frame, mm and rad, and shifts (B, 2, 27, 2), mm.

        Args:
            seen: (B, 2, 27, channels) pooled in both views.
            attended_mm: (B, 2, 27, 2) how far attention looks from where the places are expected.
            matching, place_motion, alignment: as in `Crops`.
        """
        whole, about = matching[:, :, :1], matching[:, :, 1:]
        best = (self.log_sharpness.exp() * whole.float()).softmax(-1)
        first_mm = (best @ self.candidates_mm).expand_as(attended_mm)
        numbers = [seen, attended_mm / TYPICAL_SHIFT_MM, first_mm / TYPICAL_SHIFT_MM, about, whole.expand_as(about)]
        out = self.layers(torch.cat(numbers, -1)).float()
        shift_mm = first_mm + TYPICAL_SHIFT_MM * out[..., :2]
        weights = out[..., 2].clamp(-LARGEST_LOG_WEIGHT, LARGEST_LOG_WEIGHT).exp()
        prior = torch.tensor([PRIOR_MM] * 3 + [PRIOR_RAD] * 3, device=seen.device)
        with torch.autocast(seen.device.type, enabled=False):  # normal equations square what rounding leaves
            weighted = place_motion * weights[..., None, None]
            normal = torch.einsum("bvkij,bvkil->bjl", weighted, place_motion)
            right = torch.einsum("bvkij,bvki->bj", weighted, shift_mm)
            pulled = self._pulled(seen, alignment)
            normal, right = normal + pulled[..., :PARAMETERS], right + pulled[..., PARAMETERS]
            twist: torch.Tensor = torch.linalg.solve(normal + torch.diag((PLACE_MM / prior).square()), right)
        return twist, shift_mm

    def _pulled(self, seen: torch.Tensor, alignment: torch.Tensor) -> torch.Tensor:
        """(B, 6, 7) the normal equations of the alignment, as far as they are trusted."""
        matrix, right = alignment[..., :PARAMETERS], alignment[..., PARAMETERS]
        pull = right / (matrix.diagonal(dim1=-2, dim2=-1) + SMALLEST).sqrt()  # of each number alone, in deviations
        pull = pull.clamp(-LARGEST_PULL, LARGEST_PULL) / TYPICAL_PULL
        out = self.trust(torch.cat([seen.mean(2), pull.flatten(2)], -1))
        weight, gain = (
            out.unflatten(-1, (2, len(RESOLUTIONS))).clamp(-LARGEST_LOG_WEIGHT, LARGEST_LOG_WEIGHT).exp().unbind(2)
        )
        trusted = torch.cat([matrix, (gain[..., None] * right)[..., None]], -1)
        return torch.einsum("bvs,bvsij->bij", weight, trusted)
