"""Derivative images against differences of the rasterizer's images."""

import torch
from test_rasterizer import IDENTITY, camera, gaussians

from radgs_core.geometry.rigid import exp_se3
from radgs_core.radgs.gaussians import RadiativeGaussians
from radgs_core.radgs.pose_derivatives import rasterize_with_pose_derivatives
from radgs_core.radgs.rasterizer import rasterize

CENTRE_MM = torch.tensor([5.0, -3.0, 8.0], dtype=torch.float64)
POSE = exp_se3(torch.tensor([2.0, -1.0, 3.0, 0.1, 0.2, -0.1], dtype=torch.float64))


def whole(images: torch.Tensor, top: int, left: int) -> torch.Tensor:
    view = camera()
    result = torch.zeros(7, view.height, view.width, dtype=images.dtype)
    result[:, top : top + images.shape[1], left : left + images.shape[2]] = images
    return result


def test_image_is_the_rasterizers() -> None:
    part = rasterize_with_pose_derivatives(gaussians(30), camera(), POSE, CENTRE_MM)
    (image,) = rasterize(gaussians(30), [camera()], POSE[None])
    torch.testing.assert_close(whole(part.images, part.top, part.left)[0], image)


def test_derivatives_are_those_of_a_twist_about_the_centre() -> None:
    part = rasterize_with_pose_derivatives(gaussians(30), camera(), POSE, CENTRE_MM, cutoff_sigma=9.0)
    images = whole(part.images, part.top, part.left)

    def image(twist: torch.Tensor) -> torch.Tensor:
        offset = exp_se3(twist)
        offset[:3, 3] += CENTRE_MM - offset[:3, :3] @ CENTRE_MM
        return rasterize(gaussians(30), [camera()], (offset @ POSE)[None], cutoff_sigma=9.0)[0]

    for k in range(6):
        step = torch.zeros(6, dtype=torch.float64)
        step[k] = 1e-4
        expected = (image(step) - image(-step)) / 2e-4
        # the perspective term s is held constant in the derivatives; this wide view shows that at its largest
        assert float((images[1 + k] - expected).abs().max() / expected.abs().max()) < 0.01


def test_nothing_visible_gives_an_empty_part() -> None:
    away = gaussians(4)
    away = RadiativeGaussians(away.means_mm + 4000, away.scales_mm, away.quaternions, away.densities_per_mm)
    part = rasterize_with_pose_derivatives(away, camera(), IDENTITY[0], CENTRE_MM)
    assert part.images.shape == (7, 0, 0)
