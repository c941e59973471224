"""What is compared between implementations and devices: images and volumes, and their gradients by all inputs."""

from collections.abc import Callable, Sequence

import torch

from radgs_core.geometry.camera import XrayCamera
from radgs_core.geometry.rigid import exp_se3
from radgs_core.radgs.gaussians import RadiativeGaussians
from radgs_core.radgs.voxel_grid import VoxelGrid

WIDE_SIGMA = 7.0
"""Beyond it a Gaussian is worth 2e-11 of its peak."""
PARAMETERS = "means", "scales", "quaternions", "densities"

Draw = Callable[..., torch.Tensor]
"""Gaussians and twists (1, 6), by which they and perhaps the camera are moved, to an image or a volume."""


def imaging(rasterizer: Callable[..., Sequence[torch.Tensor]], view: XrayCamera) -> Draw:
    """Draws an image, nothing cut off, with a twist of the Gaussians and one of the camera."""

    def draw(model: RadiativeGaussians, twist: torch.Tensor, camera_twist: torch.Tensor) -> torch.Tensor:
        T_camera_reference = exp_se3(camera_twist) @ torch.tensor(view.T_camera_reference, device=twist.device)
        (image,) = rasterizer(
            model, [view], exp_se3(twist), T_camera_reference=T_camera_reference, cutoff_sigma=WIDE_SIGMA
        )
        return image

    return draw


def voxelizing(voxelizer: Callable[..., torch.Tensor], grid: VoxelGrid) -> Draw:
    """Draws a volume, nothing cut off, with a twist of the Gaussians."""
    return lambda model, twist: voxelizer(model, grid, exp_se3(twist), cutoff_sigma=WIDE_SIGMA)


def drawn(draw: Draw, model: RadiativeGaussians, twists: int) -> list[torch.Tensor]:
    """What is drawn, and the gradients of a fixed random weighting of it by the parameters and by so many twists."""
    device = model.means_mm.device
    parameters = (model.means_mm, model.scales_mm, model.quaternions, model.densities_per_mm)
    poses = [torch.zeros(1, 6, dtype=torch.float64, device=device) for _ in range(twists)]
    inputs = [x.detach().clone().requires_grad_() for x in (*parameters, *poses)]
    result = draw(RadiativeGaussians(*inputs[:4]), *inputs[4:])
    weights = torch.randn(result.shape, generator=torch.Generator().manual_seed(0)).to(result)
    return [result.detach(), *torch.autograd.grad(result, inputs, weights)]


def names(what: str, twists: int) -> list[str]:
    """Of what `drawn` returns."""
    moved = ("the Gaussians", "the camera")[:twists]
    return [what, *(f"{what} by {key}" for key in PARAMETERS), *(f"{what} by the pose of {key}" for key in moved)]


def largest_difference(value: torch.Tensor, exact: torch.Tensor) -> float:
    """Over the largest exact value."""
    return float((value - exact).abs().max() / exact.abs().max())
