"""Gradient descent on all parameters of Gaussians, against samples of a volume and views of it."""

import math

import numpy as np
import torch

from radgs_core.radgs.fitting.view_target import ViewTargets
from radgs_core.radgs.fitting.voxel_target import VoxelTarget
from radgs_core.radgs.gaussians import RadiativeGaussians
from radgs_core.radgs.rasterizer import rasterize
from radgs_core.radgs.voxelizer import voxelize
from radgs_core.volume import Volume

MIN_SCALE_MM = 0.5
"""Smallest standard deviation: narrower Gaussians would fall between the samples they are fitted to."""
VIEW_WEIGHT = 2.0
"""Of the views' relative squared error against that of the voxels."""
LEARNING_RATES = {"means_mm": 0.2, "log_scales": 0.045, "quaternions": 0.06, "densities": 0.15}
"""Adam's, at the beginning; they fall to zero along half a cosine."""
DECAYS = 0.9, 0.95
"""Of Adam's averages of gradients and of their squares. The second is short, because samples and views change."""
IN_PLACE = torch.eye(4, dtype=torch.float64)[None]


class Descent:
    """Adam on Gaussians.

    Args:
        start: where to start.
        attenuation: what is fitted, cut to its object: centres stay within its box, and its root mean square is the
            unit of densities, so that the learning rates suit any material.
        steps: how many steps will be taken.
    """

    def __init__(self, start: RadiativeGaussians, attenuation: Volume, steps: int) -> None:
        values = attenuation.data[attenuation.data != 0].astype(np.float64)
        self._unit = float(np.sqrt(np.mean(values**2)))
        corners = attenuation.points_mm(np.argwhere(np.ones((2, 2, 2))) * (np.array(attenuation.data.shape) - 1))
        self._box = [torch.tensor(corner, dtype=torch.float32) for corner in (corners.min(0), corners.max(0))]
        self._means = start.means_mm.clone().requires_grad_()
        self._log_scales = start.scales_mm.log().requires_grad_()
        self._quaternions = start.quaternions.clone().requires_grad_()
        self._densities = (start.densities_per_mm / self._unit).requires_grad_()
        parameters = self._means, self._log_scales, self._quaternions, self._densities
        rates = zip(parameters, LEARNING_RATES.values(), strict=True)
        self._adam = torch.optim.Adam([{"params": [x], "lr": rate} for x, rate in rates], betas=DECAYS)
        self._schedule = torch.optim.lr_scheduler.CosineAnnealingLR(self._adam, steps)

    def step(self, voxels: VoxelTarget, views: ViewTargets) -> None:
        """One step down the relative squared errors of samples and views."""
        gaussians = self._current()
        results = [voxelize(gaussians, voxels.grid), *rasterize(gaussians, views.cameras, IN_PLACE)]
        targets = [voxels.values, *views.images]
        weights = [1 / voxels.energy, *(VIEW_WEIGHT / views.energy for _ in views.images)]
        self._adam.zero_grad()
        # the gradients of weight / 2 times the squared error
        torch.autograd.backward(
            results, [w * (r.detach() - t) for r, t, w in zip(results, targets, weights, strict=True)]
        )
        self._adam.step()
        self._schedule.step()
        with torch.no_grad():
            self._means.clamp_(*self._box)
            self._log_scales.clamp_(min=math.log(MIN_SCALE_MM))

    def result(self) -> RadiativeGaussians:
        """The Gaussians as they are now, without gradients."""
        with torch.no_grad():
            now = self._current()
        return RadiativeGaussians(
            now.means_mm.detach().clone(),
            now.scales_mm,
            torch.nn.functional.normalize(now.quaternions.detach(), dim=-1),
            now.densities_per_mm,
        )

    def _current(self) -> RadiativeGaussians:
        return RadiativeGaussians(self._means, self._log_scales.exp(), self._quaternions, self._densities * self._unit)
