"""How much there is to draw: pairs of a Gaussian and a pixel within its cut-off."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from radgs_core.geometry.camera import XrayCamera
from radgs_core.radgs.gaussians import RadiativeGaussians
from radgs_core.radgs.oracle.projection import MIN_DEPTH_MM, ProjectedGaussians, project

LANES = 16
"""Neighbouring pixels of a row that the CPU works on at once."""
AT_ONCE = 1000


@dataclass(frozen=True)
class Pairs:
    """Of all Gaussians and views.

    Attributes:
        count: pairs.
        lanes: pairs if every run of pixels in a row were filled up to a multiple of ``LANES``, as the CPU does it.
    """

    count: int
    lanes: int


def pairs_of(model: RadiativeGaussians, views: Sequence[XrayCamera], cutoff_sigma: float) -> Pairs:
    """Count the pairs exactly, row by row: the footprints ``Q <= cutoff^2 s`` are ellipses.

    Args:
        model: Gaussians in the reference frame; they must not reach the X-ray source.
        views: without skew.
        cutoff_sigma: in standard deviations.
    """
    count = lanes = 0
    for view in views:
        projected = project(model.to(torch.float64), torch.tensor(view.T_camera_reference))
        assert projected.depth_mm.min() > MIN_DEPTH_MM and view.camera_matrix[0, 1] == 0
        for first in range(0, len(model), AT_ONCE):
            lengths = _row_lengths(projected, slice(first, first + AT_ONCE), view, cutoff_sigma)
            count += int(lengths.sum())
            lanes += int((lengths / LANES).ceil().sum()) * LANES
    return Pairs(count, lanes)


def _row_lengths(projected: ProjectedGaussians, part: slice, view: XrayCamera, cutoff_sigma: float) -> torch.Tensor:
    """(N, height) covered pixels in each row: between the roots of a quadratic polynomial in the column."""
    k = torch.tensor(view.camera_matrix)
    k2 = cutoff_sigma**2
    xx, xy, yy = (projected.conic[part] - k2 * projected.bend[part])[..., None].unbind(1)
    slope_x, slope_y = k2 * projected.slope[part, :1], k2 * projected.slope[part, 1:]
    dy = (torch.arange(view.height) - k[1, 2]) / k[1, 1] - projected.centre[part, 1:]
    b, c = xy * dy - slope_x, (yy * dy - 2 * slope_y) * dy - k2
    discriminant = b * b - xx * c
    root = discriminant.clamp(min=0).sqrt()
    ends = [k[0, 0] * (projected.centre[part, :1] + (-b + sign * root) / xx) + k[0, 2] for sign in (-1, 1)]
    first, last = ends[0].ceil().clamp(min=0), ends[1].floor().clamp(max=view.width - 1)
    return torch.where(discriminant >= 0, (last - first + 1).clamp(min=0), 0)
