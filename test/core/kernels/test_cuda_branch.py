"""What the kernels' CUDA branch computes, run on the CPU with the tasks that CUDA would get."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from cuda_branch import cuda_branch

from radgs_core.geometry.camera import XrayCamera
from radgs_core.geometry.rigid import exp_se3
from radgs_core.radgs import rasterizer, voxelizer
from radgs_core.radgs.division import Division
from radgs_core.radgs.gaussians import RadiativeGaussians
from radgs_core.radgs.volume_division import VolumeDivision
from radgs_core.radgs.voxel_grid import VoxelGrid
from radgs_core.xray import ray_march
from radgs_core.xray.raycast import RayCastVolume

COUNT = 101
GROUP = torch.arange(COUNT) % 2
CUDA = torch.device("cuda")


def test_rasterizer(monkeypatch: pytest.MonkeyPatch) -> None:
    def draw(model: RadiativeGaussians, poses: torch.Tensor) -> list[torch.Tensor]:
        views = [view(40, 32), view(13, 50)]
        return rasterizer.rasterize(model, views, poses, GROUP, cutoff_sigma=7.0)

    expected = with_gradients(draw)
    on = Division.on
    monkeypatch.setattr(Division, "on", lambda device, count, views: on(CUDA, count, views))
    monkeypatch.setattr(rasterizer, "kernels", cuda_branch("rasterizer", monkeypatch))
    assert_same(with_gradients(draw), expected)


def test_voxelizer(monkeypatch: pytest.MonkeyPatch) -> None:
    def draw(model: RadiativeGaussians, poses: torch.Tensor) -> list[torch.Tensor]:
        grid = VoxelGrid((9, 21, 37), np.diag([5.0, 2.0, 1.5, 1.0]) - np.outer([20, 20, 25, 0], [0, 0, 0, 1]))
        return [voxelizer.voxelize(model, grid, poses, GROUP, cutoff_sigma=7.0)]

    expected = with_gradients(draw)
    on = VolumeDivision.on
    monkeypatch.setattr(VolumeDivision, "on", lambda device, count, shape: on(CUDA, count, shape))
    monkeypatch.setattr(voxelizer, "kernels", cuda_branch("voxelizer", monkeypatch))
    assert_same(with_gradients(draw), expected)


def test_ray_march(monkeypatch: pytest.MonkeyPatch) -> None:
    values = torch.rand(10, 12, 14, generator=torch.Generator().manual_seed(7))
    T_ct_voxel = np.diag([3.0, 3.0, 4.0, 1.0]) - np.outer([21, 18, 20, 0], [0, 0, 0, 1])

    def images() -> list[torch.Tensor]:
        volume = ray_march.RayMarchVolume(RayCastVolume(values, T_ct_voxel))
        return list(volume.line_integral_with_pose_derivatives(view(40, 32), np.eye(4), np.array([1.0, 2.0, 3.0])))

    expected = images()
    monkeypatch.setattr(ray_march, "ray_march", cuda_branch("ray_march", monkeypatch).ray_march)
    assert_same(images(), expected)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """The stand-in for CUDA's atomic additions is a plain one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def with_gradients(draw: Callable[[RadiativeGaussians, torch.Tensor], list[torch.Tensor]]) -> list[torch.Tensor]:
    """What is drawn of Gaussians in two groups, and the gradients by all parameters and poses."""
    generator = torch.Generator().manual_seed(7)
    inputs = [
        40 * torch.rand(COUNT, 3, generator=generator) - 20,
        0.7 + 2.3 * torch.rand(COUNT, 3, generator=generator),
        torch.randn(COUNT, 4, generator=generator),
        0.05 * torch.rand(COUNT, generator=generator),
        exp_se3(torch.tensor([[1.0, 2, 3, 0.1, 0, 0], [-2, 0, 1, 0, 0.2, 0.1]], dtype=torch.float64)),
    ]
    for x in inputs:
        x.requires_grad_()
    drawn = draw(RadiativeGaussians(*inputs[:4]), inputs[4])
    weights = [torch.randn(each.shape, generator=generator) for each in drawn]
    gradients = torch.autograd.grad(drawn, inputs, weights)
    return [*(each.detach() for each in drawn), *gradients]


def assert_same(values: list[torch.Tensor], expected: list[torch.Tensor]) -> None:
    for value, exact in zip(values, expected, strict=True):
        assert exact.any()
        assert float((value - exact).abs().max()) < 1e-5 * float(exact.abs().max())


def view(width: int, height: int) -> XrayCamera:
    pose = np.eye(4)
    pose[2, 3] = -500.0
    return XrayCamera(width, height, np.array([[300.0, 2.0, 17.0], [0, 280.0, 18.0], [0, 0, 1]]), pose)
