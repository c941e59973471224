"""The rasterizer's kernels against the oracle in float64."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch
from scenes import IDENTITY, SOURCE_MM, camera, gaussians

from radgs_core.geometry.camera import XrayCamera
from radgs_core.geometry.rigid import exp_se3
from radgs_core.radgs.gaussians import RadiativeGaussians
from radgs_core.radgs.oracle import rasterizer as oracle
from radgs_core.radgs.rasterizer import rasterize

WIDE = 7.0
TWISTS = torch.tensor([[1.0, 2, 3, 0.1, 0, 0], [-2, 0, 1, 0, 0.2, 0.1], [0, 0, 0, 0.3, -0.1, 0]], dtype=torch.float64)


def relative_error(value: torch.Tensor, exact: torch.Tensor) -> float:
    """Largest difference, as a share of the largest value."""
    return float((value - exact).abs().max() / exact.abs().max())


def many(count: int) -> RadiativeGaussians:
    """Gaussians of 0.7 to 3 mm in a cube of 100 mm."""
    generator = torch.Generator().manual_seed(5)
    return RadiativeGaussians(
        100 * torch.rand(count, 3, generator=generator) - 50,
        0.7 + 2.3 * torch.rand(count, 3, generator=generator),
        torch.randn(count, 4, generator=generator),
        0.05 * torch.rand(count, generator=generator),
    )


def view_of_cube(pixels: int) -> XrayCamera:
    """A view of the cube from 700 mm."""
    pose = np.eye(4)
    pose[2, 3] = -700.0
    focal = pixels * 5.0
    return XrayCamera(pixels, pixels, [[focal, 0, pixels / 2], [0, focal, pixels / 2], [0, 0, 1]], pose)


def gradients(
    draw: Callable[..., Sequence[torch.Tensor]],
    model: RadiativeGaussians,
    views: Sequence[XrayCamera],
    poses: torch.Tensor,
    group: torch.Tensor,
) -> list[torch.Tensor]:
    """Of a fixed random weighting of all images, by every input."""
    parameters = [model.means_mm, model.scales_mm, model.quaternions, model.densities_per_mm]
    cameras = torch.stack([torch.tensor(view.T_camera_reference) for view in views])
    inputs = [x.clone().requires_grad_() for x in (*parameters, poses, cameras)]
    images = draw(
        RadiativeGaussians(*inputs[:4]), views, inputs[4], group, T_camera_reference=inputs[5], cutoff_sigma=WIDE
    )
    generator = torch.Generator().manual_seed(1)
    total = sum((torch.randn(image.shape, generator=generator).to(image.dtype) * image).sum() for image in images)
    assert isinstance(total, torch.Tensor)
    total.backward()
    return [x.grad for x in inputs if x.grad is not None]


@pytest.mark.parametrize("count", [1, 15, 16, 17, 300])
def test_images_are_exact_at_any_count(count: int) -> None:
    model = gaussians(count, torch.float32)
    views = [camera(), camera(13, 50), camera(64, 9, skew=-3.0)]
    exact = oracle.rasterize(model.to(torch.float64), views, IDENTITY, cutoff_sigma=WIDE)
    for image, expected in zip(rasterize(model, views, IDENTITY, cutoff_sigma=WIDE), exact, strict=True):
        assert image.shape == expected.shape
        assert image.dtype == torch.float32
        assert relative_error(image, expected) < 1e-5


def test_gradients_of_all_inputs_are_exact() -> None:
    model = gaussians(200, torch.float32)
    group = torch.arange(200) % 3
    views = [camera(), camera(13, 50), camera(64, 9, skew=-3.0)]
    expected = gradients(oracle.rasterize, model.to(torch.float64), views, exp_se3(TWISTS), group)
    found = gradients(rasterize, model, views, exp_se3(TWISTS), group)
    assert len(found) == 6
    for value, exact in zip(found, expected, strict=True):
        assert value.dtype in (torch.float32, torch.float64)
        assert relative_error(value, exact) < 1e-5


def test_gradients_of_a_dense_scene_are_exact() -> None:
    model, view, group = many(2000), view_of_cube(128), torch.zeros(2000, dtype=torch.long)
    expected = gradients(oracle.rasterize, model.to(torch.float64), [view], IDENTITY, group)
    for value, exact in zip(gradients(rasterize, model, [view], IDENTITY, group), expected, strict=True):
        assert relative_error(value, exact) < 1e-5


def test_strong_perspective_takes_the_general_root() -> None:
    # needles along the ray, close to the source: s differs from 1 by more than the fast root allows
    model = RadiativeGaussians(
        torch.tensor([[2.0, 1.0, -SOURCE_MM + 60], [-3.0, 2.0, -SOURCE_MM + 90]]),
        torch.tensor([[0.5, 0.5, 4.0], [0.4, 4.0, 0.4]]),
        torch.tensor([[1.0, 0.3, 0.2, 0.0], [1.0, 0.2, -0.4, 0.3]]),
        torch.tensor([0.1, 0.2]),
    )
    group = torch.zeros(2, dtype=torch.long)
    (image,) = rasterize(model, [camera(64, 64)], IDENTITY, cutoff_sigma=5.0)
    (exact,) = oracle.rasterize(model.to(torch.float64), [camera(64, 64)], IDENTITY, cutoff_sigma=5.0)
    assert relative_error(image, exact) < 2e-5  # 5 sigma: a pixel on the rim is worth 4e-6 of the peak
    expected = gradients(oracle.rasterize, model.to(torch.float64), [camera(64, 64)], IDENTITY, group)
    for value, wanted in zip(gradients(rasterize, model, [camera(64, 64)], IDENTITY, group), expected, strict=True):
        assert relative_error(value, wanted) < 1e-4


def test_default_cutoff_costs_less_than_5e_4() -> None:
    model, view = many(2000), view_of_cube(128)
    (exact,) = oracle.rasterize(model.to(torch.float64), [view], IDENTITY, cutoff_sigma=WIDE)
    (image,) = rasterize(model, [view], IDENTITY)
    assert 0 < relative_error(image, exact) < 5e-4


def test_the_number_of_threads_does_not_matter() -> None:
    model, group, views = gaussians(300, torch.float32), torch.arange(300) % 3, [camera(), camera(13, 50)]
    before = torch.get_num_threads()
    results = []
    try:
        for threads in (1, 2, 5):
            torch.set_num_threads(threads)
            images = rasterize(model, views, exp_se3(TWISTS), group)
            results.append([*images, *gradients(rasterize, model, views, exp_se3(TWISTS), group)])
    finally:
        torch.set_num_threads(before)
    for other in results[1:]:
        for value, expected in zip(other, results[0], strict=True):
            assert torch.equal(value, expected)


def test_views_that_do_not_matter_get_no_gradient() -> None:
    model = gaussians(20, torch.float32)
    means = model.means_mm.clone().requires_grad_()
    moved = RadiativeGaussians(means, model.scales_mm, model.quaternions, model.densities_per_mm)
    first, _ = rasterize(moved, [camera(), camera(20, 20)], IDENTITY)
    first.sum().backward()
    both = means.grad
    alone = model.means_mm.clone().requires_grad_()
    (only,) = rasterize(
        RadiativeGaussians(alone, model.scales_mm, model.quaternions, model.densities_per_mm), [camera()], IDENTITY
    )
    only.sum().backward()
    assert both is not None
    assert alone.grad is not None
    torch.testing.assert_close(both, alone.grad)


def test_a_density_of_zero_still_has_a_gradient() -> None:
    model = gaussians(5, torch.float32)
    densities = torch.zeros(5, requires_grad=True)
    (image,) = rasterize(
        RadiativeGaussians(model.means_mm, model.scales_mm, model.quaternions, densities), [camera()], IDENTITY
    )
    image.sum().backward()
    assert densities.grad is not None
    assert densities.grad.min() > 0.1


def test_gaussians_behind_the_source_around_it_and_outside_the_image_draw_nothing() -> None:
    model = gaussians(3, torch.float32)
    means = torch.tensor([[0.0, 0, -SOURCE_MM - 5], [4000.0, 0, 0], [0.0, 0.0, -SOURCE_MM + 4]])
    scales = torch.tensor([[1.0, 1, 1], [1, 1, 1], [3, 3, 3]])
    (image,) = rasterize(
        RadiativeGaussians(means, scales, model.quaternions, model.densities_per_mm), [camera()], IDENTITY
    )
    assert not image.any()


def test_no_gaussians_give_an_empty_image() -> None:
    (image,) = rasterize(gaussians(0, torch.float32), [camera()], IDENTITY)
    assert image.shape == (32, 40)
    assert not image.any()


def test_strided_parameters_are_taken() -> None:
    model = gaussians(20, torch.float32)
    strided = RadiativeGaussians(
        model.means_mm.T.contiguous().T, model.scales_mm, model.quaternions, model.densities_per_mm
    )
    torch.testing.assert_close(rasterize(strided, [camera()], IDENTITY), rasterize(model, [camera()], IDENTITY))


def test_several_groups_need_the_group_of_each_gaussian() -> None:
    with pytest.raises(ValueError, match="group must be given for 2 groups"):
        rasterize(gaussians(2, torch.float32), [camera()], IDENTITY.repeat(2, 1, 1))


def test_float64_is_refused() -> None:
    with pytest.raises(ValueError, match=r"takes float32 Gaussians, not torch\.float64"):
        rasterize(gaussians(2), [camera()], IDENTITY)


@pytest.mark.parametrize("fault", ["depth", "scale", "quaternion", "mean"])
def test_what_is_not_drawn_leaves_all_gradients_finite(fault: str) -> None:
    group, views = torch.arange(20) % 2, [camera(), camera(13, 50)]
    poses, model, kept = IDENTITY.repeat(2, 1, 1), gaussians(20, torch.float32), torch.arange(20) != 7
    if fault == "depth":
        model.means_mm[7, 2] = -SOURCE_MM
    elif fault == "scale":
        model.scales_mm[7, 1] = 0.0
    elif fault == "quaternion":
        model.quaternions[7] = 0.0
    else:
        model.means_mm[7, 0] = torch.nan
    rest = RadiativeGaussians(
        model.means_mm[kept], model.scales_mm[kept], model.quaternions[kept], model.densities_per_mm[kept]
    )
    *by_parameters, by_poses, by_cameras = gradients(rasterize, model, views, poses, group)
    *expected, poses_expected, cameras_expected = gradients(rasterize, rest, views, poses, group[kept])
    for gradient, wanted in zip(by_parameters, expected, strict=True):
        assert not gradient[7].any()
        torch.testing.assert_close(gradient[kept], wanted)
    torch.testing.assert_close(by_poses, poses_expected)
    torch.testing.assert_close(by_cameras, cameras_expected)


@pytest.mark.parametrize("cutoff_sigma", [float("nan"), 0.0, -4.0, 13.1, float("inf")])
def test_cutoffs_that_the_kernels_cannot_take_are_refused(cutoff_sigma: float) -> None:
    with pytest.raises(ValueError, match="cutoff_sigma must be more than 0 and at most 13"):
        rasterize(gaussians(2, torch.float32), [camera()], IDENTITY, cutoff_sigma=cutoff_sigma)


def test_the_largest_cutoff_works() -> None:
    model = gaussians(20, torch.float32)
    (exact,) = oracle.rasterize(model.to(torch.float64), [camera()], IDENTITY, cutoff_sigma=13.0)
    (image,) = rasterize(model, [camera()], IDENTITY, cutoff_sigma=13.0)
    assert relative_error(image, exact) < 1e-5


@pytest.mark.parametrize("group", [[0, 0], [0, 1, 3], [-1, 0, 0], [0.0, 1.0, 0.0]])
def test_groups_that_do_not_exist_are_refused(group: list[float]) -> None:
    with pytest.raises(ValueError, match=r"^group must be .*\.$"):
        rasterize(gaussians(3, torch.float32), [camera()], exp_se3(TWISTS), torch.tensor(group))


@pytest.mark.parametrize("poses", [torch.eye(4)[None, :3], torch.eye(4), torch.eye(4, dtype=torch.int32)[None]])
def test_poses_of_another_shape_or_type_are_refused(poses: torch.Tensor) -> None:
    with pytest.raises(ValueError, match=r"^T_reference_group must be floating-point numbers of shape .*\.$"):
        rasterize(gaussians(3, torch.float32), [camera()], poses)


def test_each_camera_needs_its_pose() -> None:
    model, views = gaussians(3, torch.float32), [camera(), camera(13, 50)]
    with pytest.raises(ValueError, match=r"^T_camera_reference must be floating-point numbers of shape \(2, 4, 4\)"):
        rasterize(model, views, IDENTITY, T_camera_reference=IDENTITY)
    with pytest.raises(ValueError, match="at least one camera"):
        rasterize(model, [], IDENTITY)


def test_every_parameter_must_be_float32() -> None:
    model = gaussians(3, torch.float32)
    mixed = RadiativeGaussians(model.means_mm, model.scales_mm.double(), model.quaternions, model.densities_per_mm)
    with pytest.raises(ValueError, match=r"takes float32 Gaussians, not torch\.float64 \(scales_mm\)"):
        rasterize(mixed, [camera()], IDENTITY)
