"""The oracle of the voxelizer against the sum over all voxels, and gradcheck."""

import pytest
import torch
from scenes import gaussians
from voxel_grids import GRIDS, grid

from radgs_core.geometry.rigid import exp_se3
from radgs_core.radgs.gaussians import RadiativeGaussians
from radgs_core.radgs.oracle import voxelizer
from radgs_core.radgs.oracle.projection import rotation_matrices
from radgs_core.radgs.oracle.voxelizer import voxelize
from radgs_core.radgs.voxel_grid import VoxelGrid


def summed(model: RadiativeGaussians, place: VoxelGrid, cutoff_sigma: float) -> torch.Tensor:
    """Every Gaussian at every voxel."""
    indices = torch.stack(torch.meshgrid(*(torch.arange(n) for n in place.shape), indexing="ij"), -1).double()
    T_frame_voxel = torch.tensor(place.T_frame_voxel)
    points = indices @ T_frame_voxel[:3, :3].T + T_frame_voxel[:3, 3]
    volume = torch.zeros(place.shape, dtype=torch.float64)
    for mean, scales, axes, density in zip(
        model.means_mm, model.scales_mm, rotation_matrices(model.quaternions), model.densities_per_mm, strict=True
    ):
        distance2 = (((points - mean) @ axes) / scales).square().sum(-1)
        volume += torch.where(distance2 <= cutoff_sigma**2, density * (-0.5 * distance2).exp(), 0.0)
    return volume


@pytest.mark.parametrize("cutoff_sigma", [1.5, 7.0])
@pytest.mark.parametrize("place", GRIDS.values(), ids=GRIDS.keys())
def test_values_are_exact(place: VoxelGrid, cutoff_sigma: float) -> None:
    spread = gaussians(30)
    model = RadiativeGaussians(0.4 * spread.means_mm, spread.scales_mm, spread.quaternions, spread.densities_per_mm)
    expected = summed(model, place, cutoff_sigma)
    volume = voxelize(model, place, cutoff_sigma=cutoff_sigma)
    assert float((volume - expected).abs().max()) < 1e-9 * float(expected.abs().max())


def test_gradients_of_all_inputs() -> None:
    place = grid((6, 5, 7), [[4.0, 0, 0], [0, -6.0, 0], [0, 1.0, 5.0]], turned=True)
    model, group = gaussians(4), torch.tensor([0, 1, 1, 0])

    def volume(
        means: torch.Tensor,
        scales: torch.Tensor,
        quaternions: torch.Tensor,
        densities: torch.Tensor,
        twists: torch.Tensor,
    ) -> torch.Tensor:
        model = RadiativeGaussians(means, scales, quaternions, densities)
        return voxelize(model, place, exp_se3(twists), group, cutoff_sigma=9.0)

    inputs = (
        model.means_mm,
        4 * model.scales_mm,
        model.quaternions,
        model.densities_per_mm,
        0.1 * torch.ones(2, 6, dtype=torch.float64),
    )
    assert torch.autograd.gradcheck(volume, tuple(x.clone().requires_grad_() for x in inputs), atol=1e-7)


def test_work_in_chunks_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    place = GRIDS["turned"]
    whole = voxelize(gaussians(20), place, cutoff_sigma=4.0)
    monkeypatch.setattr(voxelizer, "PAIRS_A_CHUNK", 3000)
    torch.testing.assert_close(voxelize(gaussians(20), place, cutoff_sigma=4.0), whole)


def test_several_groups_need_the_group_of_each_gaussian() -> None:
    with pytest.raises(ValueError, match="group must be given for 2 groups"):
        voxelize(gaussians(2), GRIDS["cubic"], torch.eye(4).repeat(2, 1, 1), cutoff_sigma=4.0)
