"""RegM: closed forms recover small motions; all kinds give motions and gradients."""

import numpy as np
import pytest
import torch

from radgs_core.geometry.rigid import exp_se3
from radgs_core.reconstruction import GaussianBatch
from radgs_core.reconstruction.gaussian_head import slightly_moved
from radgs_core.registration.regm import ImageRegM, Motion, PointRegM, RegMPreset, VoxelRegM, rigid_fit

CODE = 8
TWIST = torch.tensor([[1.5, -0.8, 2.0, 0.02, -0.03, 0.01], [-1.0, 0.4, 0.0, 0.0, 0.02, -0.04]])
KINDS = {
    "points": RegMPreset("points", width=16),
    "voxels": RegMPreset("voxels", width=16, voxels=16, patch=8, depth=1, heads=2),
    "images": RegMPreset("images", width=16),
}


def vertebrae() -> GaussianBatch:
    """Two clouds of 60 Gaussians."""
    generator = torch.Generator().manual_seed(0)
    return GaussianBatch(
        60 * torch.rand(2, 60, 3, generator=generator) - 30,
        3 + 3 * torch.rand(2, 60, 3, generator=generator),
        torch.randn(2, 60, 4, generator=generator),
        0.01 + 0.01 * torch.rand(2, 60, generator=generator),
    )


def test_rigid_fit_recovers_small_motions() -> None:
    points = vertebrae().means_mm
    motion = exp_se3(TWIST)
    shifts = points @ motion[:, :3, :3].mT + motion[:, None, :3, 3] - points
    weights = torch.rand(2, 60, generator=torch.Generator().manual_seed(1)) + 0.1
    found = rigid_fit(points, shifts, weights)
    torch.testing.assert_close(found[:, :3], TWIST[:, :3], atol=0.05, rtol=0)
    torch.testing.assert_close(found[:, 3:], TWIST[:, 3:], atol=0.001, rtol=0)
    shifts[:, 0] += 50.0  # what weighs nothing does not count
    weights[:, 0] = 1e-9
    torch.testing.assert_close(rigid_fit(points, shifts, weights), found, atol=0.02, rtol=0)


def test_points_that_have_moved_rigidly_are_found_untrained() -> None:
    """Its networks begin with corrections of zero, and the closed form does the rest."""
    still = vertebrae()
    motion = PointRegM(CODE, 16)(slightly_moved(still, TWIST), still, torch.zeros(2, CODE))
    torch.testing.assert_close(motion.twist, TWIST, atol=0.02, rtol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_shapes_and_gradients(kind: str) -> None:
    torch.manual_seed(0)
    regm = KINDS[kind].network(CODE)
    assert isinstance(regm, {"points": PointRegM, "voxels": VoxelRegM, "images": ImageRegM}[kind])
    with torch.no_grad():
        for parameter in regm.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    still = vertebrae()
    twist = TWIST.clone().requires_grad_()
    effect = torch.randn(2, CODE, requires_grad=True)
    motion = regm(slightly_moved(still, twist), still, effect)
    assert motion.twist.shape == motion.deviation.shape == (2, 6) and (motion.deviation > 0).all()
    (motion.twist.square().sum() + motion.deviation.log().square().sum()).backward()
    for name, parameter in regm.named_parameters():
        assert parameter.grad is not None and torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.abs().max() > 0, name
    assert effect.grad is not None and effect.grad.abs().max() > 0
    if kind == "images":
        assert twist.grad is None  # it does not look at the reconstruction
    else:
        assert twist.grad is not None and (twist.grad.abs() > 0).all()


def test_voxels_see_a_vertebra_that_has_moved() -> None:
    torch.manual_seed(0)
    regm = KINDS["voxels"].network(CODE)
    torch.nn.init.normal_(regm.motion.weight)
    still, effect = vertebrae(), torch.zeros(2, CODE)
    with torch.no_grad():
        here, there = (regm(slightly_moved(still, twist), still, effect).twist for twist in (0 * TWIST, 4 * TWIST))
    assert (here - there).abs().max() > 1e-3
    volumes = torch.stack([regm._volume(slightly_moved(still, twist), 0) for twist in (0 * TWIST, 4 * TWIST)])
    cells = torch.as_tensor(np.stack(np.meshgrid(*[np.arange(16)] * 3, indexing="ij"), -1), dtype=torch.float32)
    middle = (volumes[..., None] * cells).sum((1, 2, 3)) / volumes.sum((1, 2, 3))[:, None]
    assert (middle[1] - middle[0]).norm() * 6.0 > 2.0  # mm


def test_deviations_are_limited_and_scaled() -> None:
    motion = Motion.of(torch.zeros(1, 6), torch.ones(1, 6), torch.tensor([[0.0, 100.0, -100.0, 0.0, 0.0, 0.0]]))
    np.testing.assert_allclose(motion.twist[0], [2, 2, 2, 0.05, 0.05, 0.05], rtol=1e-6)
    np.testing.assert_allclose(motion.deviation[0, :3], [2, 2 * np.exp(4), 2 * np.exp(-6)], rtol=1e-5)
