"""What is timed of the rasterizer and of its peer: an image, and an image with its gradient by poses."""

from collections.abc import Callable, Sequence

import torch

from radgs_core.geometry.camera import XrayCamera
from radgs_core.radgs.gaussians import RadiativeGaussians
from radgs_core.radgs.rasterizer import rasterize

Draw = Callable[[torch.Tensor], Sequence[torch.Tensor]]
"""Poses (G, 4, 4) float64 of what is drawn to an image a view."""


def rasterizing(
    model: RadiativeGaussians,
    views: Sequence[XrayCamera],
    cutoff_sigma: float,
    group: torch.Tensor | None = None,
) -> Draw:
    """The rasterizer on a scene."""
    return lambda poses: rasterize(model, views, poses, group, cutoff_sigma=cutoff_sigma)


def forward(draw: Draw, poses: torch.Tensor) -> Callable[[], object]:
    """Draws the images."""

    def call() -> None:
        with torch.no_grad():
            draw(poses)

    return call


def forward_and_backward(draw: Draw, poses: torch.Tensor) -> Callable[[], object]:
    """Draws the images, and takes the gradients of a weighting of them to the poses."""
    variables = poses.clone().requires_grad_()
    with torch.no_grad():
        weights = [torch.randn_like(image) for image in draw(poses)]

    def call() -> None:
        torch.autograd.grad(draw(variables), variables, weights)

    return call
