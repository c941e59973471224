"""Training exposures: reproducible, within their ranges, and of what a ray-cast simulation shows."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from scipy import ndimage

from radgs_core.case import Case
from radgs_core.geometry.camera import VIEW_NAMES
from radgs_core.training import appearance, scenes
from radgs_core.training import positions as module
from radgs_core.training.appearance import exposed
from radgs_core.training.positions import Position, Positions
from radgs_core.training.scenes import Scene, SceneSampler
from radgs_core.xray.simulator import Simulator


@pytest.fixture(scope="module")
def sampler(phantom_case: Case, positions: Sequence[Position]) -> SceneSampler:
    return SceneSampler(phantom_case, positions)


def scene(sampler: SceneSampler, seed: int) -> Scene:
    return sampler.scene(np.random.default_rng([1, seed]))


def same(one: Scene, other: Scene) -> bool:
    return np.array_equal(one.T_reference_level, other.T_reference_level) and all(
        torch.equal(a.line_integral, b.line_integral) and torch.equal(a.usable, b.usable)
        for a, b in zip(one.observations, other.observations, strict=True)
    )


def test_a_seed_gives_a_scene_in_any_thread(sampler: SceneSampler) -> None:
    alone = [scene(sampler, seed) for seed in range(3)]
    with ThreadPoolExecutor(2) as threads:
        together = list(threads.map(lambda seed: scene(sampler, seed), [0, 1, 2, 2, 1, 0]))
    for number, seed in enumerate([0, 1, 2, 2, 1, 0]):
        assert same(together[number], alone[seed])
    assert not same(alone[0], alone[1])


def test_exposures_show_what_the_simulator_shows(
    phantom_case: Case, sampler: SceneSampler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Areal densities, with the detector left out; and the levels are where the scene says."""

    def densities(water: torch.Tensor, bone: torch.Tensor, rng: object) -> tuple[torch.Tensor, torch.Tensor]:
        return 0.2 * water + 0.4 * bone, torch.ones_like(water)

    monkeypatch.setattr(scenes, "exposed", densities)
    drawn = scene(sampler, 3)
    geometry = next(
        p.geometry for p in sampler._positions if np.array_equal(p.T_reference_body, drawn.T_reference_body)
    )
    simulator = Simulator(phantom_case, geometry, drawn.T_reference_body)
    levels = dict(zip(phantom_case.levels, drawn.T_reference_level, strict=True))
    unmoved = simulator.densities({})
    for observation, view in zip(drawn.observations, VIEW_NAMES, strict=True):
        shown = observation.line_integral.numpy()
        there, wrong = (0.2 * d.water + 0.4 * d.bone for d in (simulator.densities(levels)[view], unmoved[view]))
        assert np.corrcoef(shown.flatten(), there.flatten())[0, 1] > 0.98
        assert np.abs(shown - there).mean() < 0.02 * there.mean()
        moved = np.abs(there - wrong) > 0.05
        assert moved.any()
        assert np.abs(shown - there)[moved].mean() < 0.4 * np.abs(shown - wrong)[moved].mean()


def test_where_the_body_is_expected(sampler: SceneSampler) -> None:
    drawn = scene(sampler, 4)
    for observation, expected in zip(drawn.observations, drawn.expected_body, strict=True):
        assert expected.camera is observation.camera and (expected.usable == 1).all()
        behind = expected.line_integral > 0.3
        assert behind.any() and not behind.all()


def test_an_exposure_follows_the_thickness() -> None:
    """With every setting drawn, more tissue is never brighter, and nothing covered or saturated is usable."""
    water = 25 * torch.linspace(0, 1, 64).expand(64, 64).clone()
    kinds = set()
    for seed in range(12):
        line_integral, usable = exposed(water, torch.zeros_like(water), np.random.default_rng(seed))
        assert torch.isfinite(line_integral).all() and (line_integral >= 0).all()
        assert set(usable.unique().tolist()) <= {0.0, 1.0} and usable.mean() > 0.3
        inside = usable[20:44].bool()
        columns, values = water[20:44][inside], line_integral[20:44][inside]
        assert np.corrcoef(columns, values)[0, 1] > 0.7
        saturated = line_integral <= line_integral.min() + 1e-6
        assert not (usable.bool() & saturated).any() or saturated.sum() == 1
        kinds.add(round(float(line_integral.max()), 3))
    assert len(kinds) > 9


def shows_metal(seed: int) -> bool:
    """Whether some dark thing is too thin to be the heel effect or scatter, behind a uniform patient."""
    water = torch.full((96, 96), 20.0)
    line_integral, usable = exposed(water, torch.zeros_like(water), np.random.default_rng(seed))
    above = ndimage.uniform_filter(line_integral.numpy() - ndimage.median_filter(line_integral.numpy(), 15), 3)
    return bool((above[ndimage.binary_erosion(usable.numpy() > 0, iterations=3)] > 0.1).sum() > 12)


def test_a_third_of_all_exposures_has_metal_in_the_beam(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 0.2 < np.mean([shows_metal(seed) for seed in range(60)]) < 0.5
    for chance, share in ((0.0, 0.0), (1.0, 1.0)):
        monkeypatch.setattr(appearance, "TOOL_CHANCE", chance)
        assert np.mean([shows_metal(seed) for seed in range(10)]) == pytest.approx(share, abs=0.1)


def test_positions_are_in_their_ranges(phantom_case: Case, positions: Sequence[Position]) -> None:
    assert len(positions) == 2 and not np.array_equal(positions[0].T_reference_body, positions[1].T_reference_body)
    again = Positions(phantom_case).drawn(np.random.default_rng([5, 1]))
    assert torch.equal(again.water, positions[1].water) and torch.equal(again.expected_body, positions[1].expected_body)
    for position in positions:
        assert position.water.shape == (2, module.SIZE_PX, module.SIZE_PX) and position.water.dtype == torch.float16
        for camera, towards in zip(position.geometry.views.values(), ((0, 0, -1), (0, 1, 0)), strict=True):
            axis = camera.T_reference_camera[:3, 2]
            angle = np.degrees(np.arccos(abs(axis @ np.asarray(towards, float))))
            assert angle < 2 * module.ANGLE_DEG, (axis, towards)
        assert position.water.max() < 60 and position.bone.max() < 30 and position.water.max() > 2
