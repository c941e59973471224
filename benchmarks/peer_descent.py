"""Adam on rigid poses, the optimiser of the peer."""

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import torch
from numpy.typing import NDArray

from radgs_core.geometry.rigid import exp_se3_about

Loss = Callable[[torch.Tensor], torch.Tensor]
"""Of poses (N, 4, 4) float64, mm; a scalar."""


def descend(losses: Sequence[Loss], start: NDArray, centres_mm: NDArray, iterations: int, step: float) -> NDArray:
    """Minimise the mean of several losses over rigid poses; one thread a loss.

    Parameters are twists about the centres, in mm and degrees, so that Adam's steps suit both; the steps fall to zero
    as the square root of the share of iterations that is left.

    Args:
        losses: one a view.
        start: (N, 4, 4) float64 ``T_reference_ct``, mm.
        centres_mm: (N, 3) centre of each pose's rotations, reference frame.
        iterations: how many steps.
        step: the first one's length, mm and degrees.

    Returns:
        (N, 4, 4) float64.
    """
    origin, centres = torch.tensor(start), torch.tensor(centres_mm)
    units = torch.tensor([1.0] * 3 + [math.pi / 180] * 3, dtype=torch.float64)
    parameters = torch.zeros(len(start), 6, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.Adam([parameters], lr=step)

    def poses(values: torch.Tensor) -> torch.Tensor:
        return exp_se3_about(values * units, centres) @ origin

    def gradient(loss: Loss) -> torch.Tensor:
        values = parameters.detach().clone().requires_grad_()
        return torch.autograd.grad(loss(poses(values)), values)[0]

    with ThreadPoolExecutor(len(losses)) as threads:
        for iteration in range(iterations):
            optimiser.param_groups[0]["lr"] = step * math.sqrt(1 - iteration / iterations)
            parameters.grad = torch.stack(list(threads.map(gradient, losses))).mean(0)
            optimiser.step()
    return poses(parameters.detach()).numpy()
