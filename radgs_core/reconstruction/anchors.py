"""What the Gaussians of a reconstruction are before the images are looked at."""

from collections.abc import Sequence

import numpy as np
import torch

from radgs_core.case import Vertebra
from radgs_core.geometry.rigid import inverse
from radgs_core.radgs import RadiativeGaussians
from radgs_core.reconstruction.gaussian_head import GaussianBatch
from radgs_core.reconstruction.presets import RecMPreset

CUBE_MM = 96.0
"""Edge of the cube that the grid fills: the largest vertebra fits."""
GRID_DENSITY_PER_MM = 1e-3


def anchors_of(vertebrae: Sequence[Vertebra], preset: RecMPreset) -> GaussianBatch:
    """Anchors of L levels, each in its vertebra's frame; sets smaller than the largest are filled with empty ones."""
    if preset.anchors == "grid":
        grid = _grid(preset.gaussians)
        return stacked([grid] * len(vertebrae))
    return stacked([in_vertebra_frame(vertebra) for vertebra in vertebrae])


def in_vertebra_frame(vertebra: Vertebra) -> RadiativeGaussians:
    """The prepared Gaussians of a level, in the vertebra's frame."""
    return vertebra.gaussians.moved(inverse(vertebra.T_ct_vertebra))


def stacked(sets: Sequence[RadiativeGaussians]) -> GaussianBatch:
    """Sets of Gaussians as one batch; sets smaller than the largest are filled with Gaussians without density."""
    largest = max(len(gaussians) for gaussians in sets)
    names = ("means_mm", "scales_mm", "quaternions", "densities_per_mm")
    alone = [filled(GaussianBatch(*(getattr(each, name)[None] for name in names)), largest) for each in sets]
    return GaussianBatch(*(torch.cat([getattr(each, name) for each in alone]) for name in names))


def filled(gaussians: GaussianBatch, count: int) -> GaussianBatch:
    """Sets of at least ``count`` Gaussians each; what is added has no density."""
    missing = count - gaussians.means_mm.shape[1]
    if missing <= 0:
        return gaussians

    def with_more(values: torch.Tensor, value: float) -> torch.Tensor:
        return torch.cat([values, values.new_full((len(values), missing, *values.shape[2:]), value)], 1)

    return GaussianBatch(
        with_more(gaussians.means_mm, 0.0),
        with_more(gaussians.scales_mm, 1.0),
        with_more(gaussians.quaternions, 0.5),
        with_more(gaussians.densities_per_mm, 0.0),
    )


def _grid(count: int) -> RadiativeGaussians:
    """So many round, faint Gaussians at the centres of the cells of a cube."""
    shape = _factors(count)
    axes = [CUBE_MM * ((np.arange(n) + 0.5) / n - 0.5) for n in shape]
    means = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 3)
    spacing = CUBE_MM / count ** (1 / 3)
    return RadiativeGaussians(
        torch.as_tensor(means, dtype=torch.float32),
        torch.full((count, 3), spacing / 2),
        torch.tensor([1.0, 0.0, 0.0, 0.0]).repeat(count, 1),
        torch.full((count,), GRID_DENSITY_PER_MM),
    )


def _factors(count: int) -> tuple[int, int, int]:
    """Three whole numbers whose product is ``count``, as equal as there are."""
    splits = [
        (a, b, count // (a * b))
        for a in range(1, count + 1)
        if count % a == 0 and a**3 <= count
        for b in range(a, count // a + 1)
        if (count // a) % b == 0 and b * b <= count // a
    ]
    return min(splits, key=lambda split: max(split) - min(split))
