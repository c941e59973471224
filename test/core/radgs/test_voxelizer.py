"""The voxelizer's kernels against closed forms and the oracle in float64."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from scenes import IDENTITY, gaussians
from voxel_grids import GRIDS, grid

from radgs_core.geometry.rigid import exp_se3
from radgs_core.radgs.gaussians import RadiativeGaussians
from radgs_core.radgs.oracle import voxelizer as oracle
from radgs_core.radgs.voxel_grid import VoxelGrid
from radgs_core.radgs.voxelizer import voxelize

WIDE = 7.0
TWISTS = torch.tensor([[1.0, 2, 3, 0.1, 0, 0], [-2, 0, 1, 0, 0.2, 0.1], [0, 0, 0, 0.3, -0.1, 0]], dtype=torch.float64)
every_grid = pytest.mark.parametrize("place", GRIDS.values(), ids=GRIDS.keys())


def relative_error(value: torch.Tensor, exact: torch.Tensor) -> float:
    """Largest difference, as a share of the largest value."""
    return float((value - exact).abs().max() / exact.abs().max())


def of_size(smallest_mm: float, largest_mm: float, count: int = 60) -> RadiativeGaussians:
    """Gaussians with scales spread evenly between two orders of magnitude, close to the grids' centre."""
    generator = torch.Generator().manual_seed(2)
    scales = torch.rand(count, 3, generator=generator) * np.log(largest_mm / smallest_mm)
    return RadiativeGaussians(
        20 * torch.rand(count, 3, generator=generator) - 10,
        smallest_mm * scales.exp(),
        torch.randn(count, 4, generator=generator),
        0.05 * torch.rand(count, generator=generator),
    )


def gradients(
    draw: Callable[..., torch.Tensor], model: RadiativeGaussians, place: VoxelGrid, count: int = 3
) -> list[torch.Tensor]:
    """Of a fixed random weighting of the voxels, by every parameter and the twists of groups."""
    parameters = [model.means_mm, model.scales_mm, model.quaternions, model.densities_per_mm, TWISTS[:count]]
    inputs = [x.clone().requires_grad_() for x in parameters]
    group = torch.arange(len(model)) % count
    volume = draw(RadiativeGaussians(*inputs[:4]), place, exp_se3(inputs[4]), group, cutoff_sigma=WIDE)
    weights = 0.3 + torch.randn(place.shape, generator=torch.Generator().manual_seed(1)).to(volume.dtype)
    return list(torch.autograd.grad((weights * volume).sum(), inputs))


def assert_exact(model: RadiativeGaussians, place: VoxelGrid) -> None:
    """Values and all gradients, to a hundred-thousandth of the largest."""
    volume = voxelize(model, place, cutoff_sigma=WIDE)
    assert volume.shape == place.shape
    assert volume.dtype == torch.float32
    assert relative_error(volume, oracle.voxelize(model.to(torch.float64), place, cutoff_sigma=WIDE)) < 1e-5
    expected = gradients(oracle.voxelize, model.to(torch.float64), place)
    for value, exact in zip(gradients(voxelize, model, place), expected, strict=True):
        assert relative_error(value, exact) < 1e-5


@every_grid
def test_values_and_gradients_are_exact_on_any_grid(place: VoxelGrid) -> None:
    assert_exact(gaussians(150, torch.float32), place)


@pytest.mark.parametrize("count", [1, 15, 16, 17])
def test_values_and_gradients_are_exact_at_any_count(count: int) -> None:
    place = grid((18, 18, 18), [[5.0, 0, 0], [0, 5.0, 0], [0, 0, 5.0]], turned=True)
    model = gaussians(count, torch.float32)
    large = RadiativeGaussians(model.means_mm, 4 * model.scales_mm, model.quaternions, model.densities_per_mm)
    assert_exact(large, place)


@pytest.mark.parametrize(
    ("smallest_mm", "largest_mm"), [(0.1, 0.3), (0.7, 3.0), (0.3, 6.0), (10.0, 30.0), (300.0, 900.0)]
)
def test_values_and_gradients_are_exact_at_any_size(smallest_mm: float, largest_mm: float) -> None:
    assert_exact(of_size(smallest_mm, largest_mm), GRIDS["turned"])


def test_one_gaussian_is_what_the_formula_says() -> None:
    place = grid((21, 25, 33), [[1.0, 0, 0], [0, 0, 0.75], [0, -1.25, 0]])
    model = RadiativeGaussians(
        torch.tensor([[2.25, -2.5, 0.5]]),
        torch.tensor([[2.0, 3.0, 1.5]]),
        torch.tensor([[0.0, 2.0, 0, 0]]),  # half a turn about x: the axes stay where they are
        torch.tensor([0.03]),
    )
    indices = np.stack(np.meshgrid(*(np.arange(n) for n in place.shape), indexing="ij"), -1)
    points = indices @ place.T_frame_voxel[:3, :3].T + place.T_frame_voxel[:3, 3]
    distance2 = (((points - model.means_mm.numpy()) / model.scales_mm.numpy()) ** 2).sum(-1)
    expected = np.where(distance2 <= 2.503**2, 0.03 * np.exp(-distance2 / 2), 0)
    volume = voxelize(model, place, cutoff_sigma=2.503).numpy()
    np.testing.assert_allclose(volume, expected, atol=3e-8)
    assert np.array_equal(volume > 0, expected > 0)


def test_default_cutoff_costs_less_than_5e_4() -> None:
    generator = torch.Generator().manual_seed(5)
    model = RadiativeGaussians(
        40 * torch.rand(400, 3, generator=generator) - 20,
        0.7 + 2.3 * torch.rand(400, 3, generator=generator),
        torch.randn(400, 4, generator=generator),
        0.05 * torch.rand(400, generator=generator),
    )
    place = grid((48, 48, 48), [[0.8, 0, 0], [0, 0.8, 0], [0, 0, 0.8]])
    exact = oracle.voxelize(model.to(torch.float64), place, cutoff_sigma=WIDE)
    assert 0 < relative_error(voxelize(model, place), exact) < 5e-4


def test_groups_add_up() -> None:
    model, poses, group, place = gaussians(31, torch.float32), exp_se3(TWISTS), torch.arange(31) % 3, GRIDS["turned"]
    parts = torch.zeros(place.shape)
    for g in range(3):
        chosen = group == g
        part = RadiativeGaussians(
            model.means_mm[chosen],
            model.scales_mm[chosen],
            model.quaternions[chosen],
            model.densities_per_mm[chosen],
        )
        parts += voxelize(part, place, poses[g : g + 1])
    torch.testing.assert_close(voxelize(model, place, poses, group), parts, rtol=1e-5, atol=1e-8)


def test_a_pose_moves_as_the_grid_moves_the_other_way() -> None:
    model, place, pose = gaussians(31, torch.float32), GRIDS["turned"], exp_se3(TWISTS[1])
    moved = VoxelGrid(place.shape, np.linalg.inv(pose.numpy()) @ place.T_frame_voxel)
    torch.testing.assert_close(voxelize(model, place, pose[None]), voxelize(model, moved), rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("shape", [(30, 37, 44), (5, 300, 300), (2, 20, 20)])
def test_the_number_of_threads_does_not_matter(shape: tuple[int, int, int]) -> None:
    model, place = gaussians(300, torch.float32), grid(shape, [[1.5, 0, 0], [0, 0.5, 0], [0, 0, 0.5]], turned=True)
    before, results = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 5):
            torch.set_num_threads(threads)
            results.append([voxelize(model, place), *gradients(voxelize, model, place)])
    finally:
        torch.set_num_threads(before)
    for other in results[1:]:
        for value, expected in zip(other, results[0], strict=True):
            assert torch.equal(value, expected)


def test_gaussians_outside_draw_nothing_and_get_no_gradient() -> None:
    place = GRIDS["cubic"]  # from -24.25 to 28.25 mm along x
    model = gaussians(4, torch.float32)
    means = torch.tensor([[-80.0, 0, 0], [0, 90, 0], [0, 0, -1e6], [-24.25 - 4.3 * 3, 0, 0]], requires_grad=True)
    scales = torch.full((4, 3), 3.0)
    volume = voxelize(RadiativeGaussians(means, scales, model.quaternions, model.densities_per_mm), place)
    assert not volume.any()
    volume.sum().backward()
    assert means.grad is not None
    assert not means.grad.any()


def test_parameters_that_are_no_gaussian_draw_nothing() -> None:
    model = gaussians(4, torch.float32)
    means, scales = model.means_mm.clone(), model.scales_mm.clone()
    means[0, 1], scales[1, 0], scales[2] = torch.nan, 0.0, torch.inf
    volume = voxelize(RadiativeGaussians(means, scales, model.quaternions, model.densities_per_mm), GRIDS["fine"])
    last = [x[3:] for x in (model.means_mm, model.scales_mm, model.quaternions, model.densities_per_mm)]
    assert torch.equal(volume, voxelize(RadiativeGaussians(*last), GRIDS["fine"]))


def test_no_gaussians_give_an_empty_volume() -> None:
    volume = voxelize(gaussians(0, torch.float32), GRIDS["few columns"])
    assert volume.shape == (30, 37, 5)
    assert not volume.any()


def test_strided_parameters_and_gradients_are_taken() -> None:
    model, place = gaussians(20, torch.float32), GRIDS["turned"]
    means = model.means_mm.T.contiguous().T.requires_grad_()
    strided = RadiativeGaussians(means, model.scales_mm, model.quaternions, model.densities_per_mm)
    volume = voxelize(strided, place)
    assert torch.equal(volume, voxelize(model, place))
    weights = torch.rand(44, 37, 30).permute(2, 1, 0)
    (strided_gradient,) = torch.autograd.grad(volume, means, weights, retain_graph=True)
    (gradient,) = torch.autograd.grad(volume, means, weights.contiguous())
    assert torch.equal(strided_gradient, gradient)


def test_several_groups_need_the_group_of_each_gaussian() -> None:
    with pytest.raises(ValueError, match="group must be given for 2 groups"):
        voxelize(gaussians(2, torch.float32), GRIDS["cubic"], IDENTITY.repeat(2, 1, 1))


def test_float64_is_refused() -> None:
    with pytest.raises(ValueError, match=r"takes float32 Gaussians, not torch\.float64"):
        voxelize(gaussians(2), GRIDS["cubic"])


@pytest.mark.parametrize("fault", ["scale", "quaternion", "mean"])
def test_what_is_not_drawn_leaves_all_gradients_finite(fault: str) -> None:
    place, group = GRIDS["turned"], torch.arange(20) % 3
    whole = gaussians(20, torch.float32)
    inputs = [x.clone() for x in (whole.means_mm, whole.scales_mm, whole.quaternions, whole.densities_per_mm)]
    if fault == "scale":
        inputs[1][7, 1] = 0.0
    elif fault == "quaternion":
        inputs[2][7] = 0.0
    else:
        inputs[0][7, 2] = torch.nan
    kept = torch.arange(20) != 7

    def found(chosen: torch.Tensor) -> list[torch.Tensor]:
        values = [*(x[chosen].requires_grad_() for x in inputs), exp_se3(TWISTS).requires_grad_()]
        volume = voxelize(RadiativeGaussians(*values[:4]), place, values[4], group[chosen])
        weights = torch.randn(place.shape, generator=torch.Generator().manual_seed(1))
        return list(torch.autograd.grad(volume, values, weights))

    *by_parameters, by_poses = found(torch.ones(20, dtype=torch.bool))
    *expected, poses_expected = found(kept)
    for gradient, wanted in zip(by_parameters, expected, strict=True):
        assert not gradient[7].any()
        torch.testing.assert_close(gradient[kept], wanted)
    torch.testing.assert_close(by_poses, poses_expected)


@pytest.mark.parametrize("cutoff_sigma", [float("nan"), 0.0, -4.0, 13.1, float("inf")])
def test_cutoffs_that_the_kernels_cannot_take_are_refused(cutoff_sigma: float) -> None:
    with pytest.raises(ValueError, match="cutoff_sigma must be more than 0 and at most 13"):
        voxelize(gaussians(2, torch.float32), GRIDS["cubic"], cutoff_sigma=cutoff_sigma)


def test_the_largest_cutoff_works() -> None:
    model = gaussians(20, torch.float32)
    exact = oracle.voxelize(model.to(torch.float64), GRIDS["turned"], cutoff_sigma=13.0)
    assert relative_error(voxelize(model, GRIDS["turned"], cutoff_sigma=13.0), exact) < 1e-5


@pytest.mark.parametrize("group", [[0, 0], [0, 1, 3], [-1, 0, 0], [0.0, 1.0, 0.0]])
def test_groups_that_do_not_exist_are_refused(group: list[float]) -> None:
    with pytest.raises(ValueError, match=r"^group must be .*\.$"):
        voxelize(gaussians(3, torch.float32), GRIDS["cubic"], exp_se3(TWISTS), torch.tensor(group))


@pytest.mark.parametrize("poses", [torch.eye(4)[None, :3], torch.eye(4), torch.eye(4, dtype=torch.int32)[None]])
def test_poses_of_another_shape_or_type_are_refused(poses: torch.Tensor) -> None:
    with pytest.raises(ValueError, match=r"^T_frame_group must be floating-point numbers of shape .*\.$"):
        voxelize(gaussians(3, torch.float32), GRIDS["cubic"], poses)


@pytest.mark.parametrize(
    ("shape", "matrix", "message"),
    [
        ((4, 0, 4), np.eye(4), "three sizes of at least 1"),
        ((4, 4), np.eye(4), "three sizes of at least 1"),
        ((4, 4, 4), np.eye(3), "finite 4x4 matrix"),
        ((4, 4, 4), np.full((4, 4), np.nan), "finite 4x4 matrix"),
        ((4, 4, 4), np.eye(4)[::-1], "last row is 0 0 0 1"),
        ((4, 4, 4), np.diag([1.0, 0, 1, 1]), "singular"),
    ],
)
def test_impossible_grids_are_refused(shape: tuple[int, int, int], matrix: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        VoxelGrid(shape, matrix)
