"""RecM and its parts against closed forms."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from radgs_core.case import Case
from radgs_core.geometry.rigid import exp_se3
from radgs_core.radgs import RadiativeGaussians
from radgs_core.radgs.oracle import voxelizer as oracle
from radgs_core.radgs.voxel_grid import VoxelGrid
from radgs_core.reconstruction import PRESETS, CropSize, GaussianBatch, RecM, RecMPreset, anchors_of
from radgs_core.reconstruction.alignment import PARAMETERS, RESOLUTIONS
from radgs_core.reconstruction.anchors import CUBE_MM, stacked
from radgs_core.reconstruction.attention import mean_places, pooled, random_like, uniform_like
from radgs_core.reconstruction.crops import CHANNELS
from radgs_core.reconstruction.gaussian_head import changed, slightly_moved
from radgs_core.reconstruction.matching import REACH_PX, SHIFTS, SIDE, matching
from radgs_core.reconstruction.places import PLACES
from radgs_core.reconstruction.recm import LevelInput, Reconstruction

SMALL = RecMPreset(CropSize(32, 96.0), "ct", gaussians=1, channels=8, blocks=1, code=8, hidden=8)


def smooth(seed: int, size: int) -> torch.Tensor:
    """(size, size) noise without the finest details."""
    noise = torch.randn(1, 1, size // 3, size // 3, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.interpolate(noise, (size, size), mode="bicubic")[0, 0]


@pytest.mark.parametrize(("columns", "rows"), [(0, 0), (3, -2), (-4, 1)])
def test_matching_peaks_where_the_image_has_gone(columns: int, rows: int) -> None:
    size = 48
    bell = torch.exp(-0.5 * (torch.arange(size) - 23.5).div(6).square())
    own = smooth(0, size) * bell * bell[:, None]
    image = torch.roll(own, (rows, columns), (0, 1))
    costs = matching(image[None], torch.zeros(1, size, size), own[None], torch.zeros(1, 2, 2), 96.0)
    assert costs.shape == (1, 3, SHIFTS)
    wanted = (rows + REACH_PX) * SIDE + columns + REACH_PX
    assert costs[0].argmax(-1).tolist() == [wanted] * 3  # content at p + shift is what is expected at p


def test_surroundings_are_taken_away_before_matching() -> None:
    size = 48
    around, own = 5 * smooth(1, size)[None], smooth(2, size)[None]
    places = torch.zeros(1, 1, 2)
    alone, with_body = (
        matching(image, around, own, places, 96.0)[0, 0] for image in (own + 0 * around, 0.2 * own + around)
    )
    assert int(alone.argmax()) == int(with_body.argmax()) == SHIFTS // 2


def test_attention_pools_means() -> None:
    logits = torch.randn(2, 3, 8, 6, generator=torch.Generator().manual_seed(0))
    for maps in (logits.flatten(2).softmax(-1).view_as(logits), random_like(logits), uniform_like(logits)):
        torch.testing.assert_close(maps.sum((2, 3)), torch.ones(2, 3))
        assert (maps >= 0).all()
    uniform = uniform_like(logits)
    assert uniform.unique().numel() == 1
    torch.testing.assert_close(mean_places(uniform), torch.zeros(2, 3, 2), atol=1e-6, rtol=0)
    features = torch.randn(2, 5, 8, 6)
    torch.testing.assert_close(pooled(features, uniform), features.mean((2, 3))[:, None].expand(2, 3, 5))
    one = torch.zeros(2, 3, 8, 6)
    one[..., 7, 0] = 1.0
    np.testing.assert_allclose(mean_places(one)[0, 0], [-5 / 6, 7 / 8], rtol=1e-6)
    torch.testing.assert_close(pooled(features, one)[:, 1], features[..., 7, 0])
    assert not torch.equal(random_like(logits), random_like(logits))


def level_input(anchors: GaussianBatch, px: int) -> LevelInput:
    """Two levels of noise."""
    generator = torch.Generator().manual_seed(1)

    def noise(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator)

    rows = noise(2, 2, len(RESOLUTIONS), 9, PARAMETERS)
    return LevelInput(
        noise(2, 2, CHANNELS, px, px),
        noise(2, 2, 4),
        noise(2, 2, PLACES, 2) / 3,
        noise(2, 2, PLACES, 2, 6),
        noise(2, 2, 1 + PLACES, SHIFTS),
        rows.mT @ torch.cat([rows, noise(2, 2, len(RESOLUTIONS), 9, 1)], -1),
        anchors,
    )


def looking_recm() -> RecM:
    """Random where it would begin with zeros, so that whatever acts is seen to act."""
    torch.manual_seed(0)
    recm = RecM(SMALL).eval()
    for layer in (recm.head.affine, recm.head.layers[-1], recm.motion.layers[-1]):
        torch.nn.init.normal_(layer.weight, std=0.3)
    return recm


def blinded(recm: RecM) -> RecM:
    """Its attention is uniform."""
    for attention in recm.attention:
        torch.nn.init.zeros_(attention.logits.weight)
    return recm


def moved_rigidly(recm: RecM, level: LevelInput) -> tuple[Reconstruction, GaussianBatch]:
    """What it makes of levels, and their anchors after the motion it found, which is there."""
    found: list[torch.Tensor] = []
    hook = recm.motion.register_forward_hook(lambda module, given, out: found.append(out[0]))
    with torch.no_grad():
        reconstruction = recm(level)
    hook.remove()
    assert found[0].abs().amax(1).min() > 0.05
    return reconstruction, slightly_moved(level.anchors, found[0])


@pytest.fixture
def level(phantom_case: Case) -> LevelInput:
    return level_input(anchors_of(list(phantom_case.levels.values()), SMALL), SMALL.crop.px)


def test_what_uniform_attention_pools_has_no_effect(level: LevelInput) -> None:
    """Beside the shifts that matching gives, which are no attention: nothing but the rigid motion is left."""
    recm = looking_recm()
    recm.to_code.weight.data.unflatten(1, (-1, SMALL.channels + 2))[..., SMALL.channels :] = 0.0
    looking, motion = moved_rigidly(recm, level)
    assert looking.effect.abs().max() > 1e-4
    assert (looking.gaussians.means_mm - motion.means_mm).abs().max() > 1e-3
    torch.testing.assert_close(looking.attention.sum((3, 4)), torch.ones(2, 2, PLACES))
    blind, motion = moved_rigidly(blinded(recm), level)
    torch.testing.assert_close(blind.effect, torch.zeros_like(blind.effect), atol=1e-6, rtol=0)
    for name, values in vars(motion).items():
        torch.testing.assert_close(getattr(blind.gaussians, name), values, atol=1e-4, rtol=0)


def test_shifts_have_an_effect_whatever_attention_looks_at(level: LevelInput) -> None:
    """The limit of CAL here: against it stands a patient in whom nothing has moved."""
    recm = blinded(looking_recm())
    assert moved_rigidly(recm, level)[0].effect.abs().max() > 1e-3
    for values in (recm.motion.layers[-1].weight, level.matching):
        values.data.zero_()
    with torch.no_grad():
        still = recm(level)
    assert still.effect.abs().max() < 1e-6


def test_without_cal_what_is_there_anyway_counts(level: LevelInput) -> None:
    recm = blinded(looking_recm())
    without_cal = RecM(dataclasses.replace(SMALL, counterfactual=False)).eval()
    without_cal.load_state_dict(recm.state_dict())
    with torch.no_grad():
        assert without_cal(level).effect.abs().max() > 0.1 + recm(level).effect.abs().max()


def test_small_motions_of_gaussians() -> None:
    generator = torch.Generator().manual_seed(0)
    gaussians = RadiativeGaussians(
        20 * torch.rand(6, 3, generator=generator) - 10,
        1 + 3 * torch.rand(6, 3, generator=generator),
        torch.randn(6, 4, generator=generator),
        torch.rand(6, generator=generator),
    )
    T_ct_voxel = np.diag([2.0, 2, 2, 1])
    T_ct_voxel[:3, 3] = -14
    grid = VoxelGrid((15, 15, 15), T_ct_voxel)
    twist = torch.tensor([0.3, -0.2, 0.4, 0.02, 0.015, -0.01])
    still = oracle.voxelize(gaussians, grid, cutoff_sigma=6.0)
    exact = oracle.voxelize(gaussians.moved(exp_se3(twist.double()).numpy()), grid, cutoff_sigma=6.0)
    nearly = oracle.voxelize(slightly_moved(stacked([gaussians]), twist[None]).of(0), grid, cutoff_sigma=6.0)
    assert (nearly - exact).abs().max() < 0.02 * (exact - still).abs().max()


def test_changes_of_zero_leave_anchors_as_they_are(phantom_case: Case) -> None:
    anchors = anchors_of(list(phantom_case.levels.values()), SMALL)
    same = changed(anchors, torch.zeros(*anchors.means_mm.shape[:2], 11))
    for name, values in vars(anchors).items():
        torch.testing.assert_close(getattr(same, name), values)


def test_anchors_of_the_paper_fill_the_cube(phantom_case: Case) -> None:
    anchors = anchors_of(list(phantom_case.levels.values()), PRESETS["paper"])
    assert anchors.means_mm.shape == (2, 10_000, 3)
    assert anchors.means_mm.abs().max() < CUBE_MM / 2
    assert len(anchors.means_mm[0].unique(dim=0)) == 10_000
    np.testing.assert_allclose(anchors.means_mm[0].mean(0), 0.0, atol=1e-3)
    spread = CUBE_MM / math.sqrt(12)
    np.testing.assert_allclose(anchors.means_mm[0].std(0), spread, rtol=0.01)
