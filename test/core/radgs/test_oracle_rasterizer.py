"""The oracle of the rasterizer against numerical integration along rays, gradcheck, and its own symmetries."""

import pytest
import torch
from scenes import IDENTITY, SOURCE_MM, camera, gaussians

from radgs_core.geometry.camera import XrayCamera
from radgs_core.geometry.rigid import exp_se3
from radgs_core.radgs.gaussians import RadiativeGaussians
from radgs_core.radgs.oracle.projection import rotation_matrices
from radgs_core.radgs.oracle.rasterizer import rasterize


def integrated(model: RadiativeGaussians, view: XrayCamera) -> torch.Tensor:
    """Line integrals by summing the volume at 0.05 mm along every ray."""
    rows, columns = torch.meshgrid(
        torch.arange(view.height, dtype=torch.float64), torch.arange(view.width, dtype=torch.float64), indexing="ij"
    )
    pixels = torch.stack([columns, rows, torch.ones_like(rows)], -1)
    rays = pixels @ torch.linalg.inv(torch.tensor(view.camera_matrix)).T
    depths = torch.arange(SOURCE_MM - 45, SOURCE_MM + 45, 0.05, dtype=torch.float64)
    axes = rotation_matrices(model.quaternions)
    inverse_covariance = axes @ torch.diag_embed(model.scales_mm**-2) @ axes.transpose(-1, -2)
    image = torch.zeros(view.height, view.width, dtype=torch.float64)
    for mean, matrix, density in zip(model.means_mm, inverse_covariance, model.densities_per_mm, strict=True):
        offset = rays[..., None, :] * depths[:, None] - torch.tensor([0, 0, SOURCE_MM]) - mean
        exponent = ((offset @ matrix) * offset).sum(-1)
        image += density * (-0.5 * exponent).exp().sum(-1) * 0.05 * rays.norm(dim=-1)
    return image


def test_line_integrals_are_exact() -> None:
    model, view = gaussians(6), camera()
    expected = integrated(model, view)
    (image,) = rasterize(model, [view], IDENTITY, cutoff_sigma=9.0)
    assert float((image - expected).abs().max() / expected.abs().max()) < 1e-9


def test_gradients_of_all_inputs() -> None:
    model, view = gaussians(3), camera(12, 10)
    group = torch.tensor([0, 1, 1])
    poses = torch.stack([torch.eye(4, dtype=torch.float64)] * 2)
    camera_pose = torch.tensor(view.T_camera_reference)[None]

    def image(
        means: torch.Tensor,
        scales: torch.Tensor,
        quaternions: torch.Tensor,
        densities: torch.Tensor,
        twists: torch.Tensor,
        camera_twist: torch.Tensor,
    ) -> torch.Tensor:
        return rasterize(
            RadiativeGaussians(means, scales, quaternions, densities),
            [view],
            exp_se3(twists) @ poses,
            group,
            T_camera_reference=exp_se3(camera_twist) @ camera_pose,
            cutoff_sigma=9.0,
        )[0]

    inputs = (
        model.means_mm,
        4 * model.scales_mm,
        model.quaternions,
        model.densities_per_mm,
        torch.zeros(2, 6, dtype=torch.float64),
        torch.zeros(1, 6, dtype=torch.float64),
    )
    assert torch.autograd.gradcheck(image, tuple(x.clone().requires_grad_() for x in inputs), atol=1e-7)


def test_groups_and_views_add_up() -> None:
    model = gaussians(10)
    group = torch.arange(10) % 2
    poses = exp_se3(torch.tensor([[1.0, 2, 3, 0.1, 0, 0], [-2, 0, 1, 0, 0.2, 0.1]], dtype=torch.float64))
    views = [camera(), camera(24, 20)]
    together = rasterize(model, views, poses, group)
    assert [tuple(image.shape) for image in together] == [(32, 40), (20, 24)]
    for view, image in zip(views, together, strict=True):
        parts = []
        for g in (0, 1):
            chosen = RadiativeGaussians(
                model.means_mm[group == g],
                model.scales_mm[group == g],
                model.quaternions[group == g],
                model.densities_per_mm[group == g],
            )
            parts.append(rasterize(chosen, [view], poses[g : g + 1])[0])
        torch.testing.assert_close(image, parts[0] + parts[1])


def test_gaussians_behind_the_source_and_outside_the_image_draw_nothing() -> None:
    model = gaussians(2)
    behind = RadiativeGaussians(
        torch.tensor([[0.0, 0, -SOURCE_MM - 5], [4000.0, 0, 0]], dtype=torch.float64),
        model.scales_mm,
        model.quaternions,
        model.densities_per_mm,
    )
    (image,) = rasterize(behind, [camera()], IDENTITY)
    assert not image.any()


def test_several_groups_need_the_group_of_each_gaussian() -> None:
    with pytest.raises(ValueError, match="group must be given for 2 groups"):
        rasterize(gaussians(2), [camera()], IDENTITY.repeat(2, 1, 1))


def test_gaussians_of_unequal_count_are_refused() -> None:
    model = gaussians(3)
    with pytest.raises(ValueError, match="densities_per_mm must have shape"):
        RadiativeGaussians(model.means_mm, model.scales_mm, model.quaternions, model.densities_per_mm[:2])
