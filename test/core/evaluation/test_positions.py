"""Positions and doses are as varied as the protocol says, and no more."""

import numpy as np
import pytest
import torch

from radgs_core.evaluation import varied_geometry, varied_physics
from radgs_core.geometry.camera import BiplanarGeometry
from radgs_core.training import appearance
from radgs_core.xray import CArm, Physics
from radgs_core.xray.carm import R_CARM_AP
from radgs_core.xray.materials import Densities
from radgs_core.xray.spectrum import Spectrum

CARM = CArm(size=64)


@pytest.fixture(scope="module")
def drawn() -> list[BiplanarGeometry]:
    rng = np.random.default_rng(0)
    return [varied_geometry(CARM, rng) for _ in range(400)]


@pytest.mark.parametrize(("view", "orbital_deg"), [("ap", 0.0), ("lateral", 90.0)])
def test_tilts_of_each_view(drawn: list[BiplanarGeometry], view: str, orbital_deg: float) -> None:
    """The arm turns about x by the orbital angle, then about y by the angular one."""
    tilts = []
    for geometry in drawn:
        turn = geometry.views[view].T_reference_camera[:3, :3] @ R_CARM_AP.T
        orbital, angular = np.arctan2(turn[1, 2], turn[1, 1]), np.arctan2(-turn[2, 0], turn[0, 0])
        tilts.append(np.degrees([orbital, angular]) - [orbital_deg, 0.0])
    assert np.abs(tilts).max(0) == pytest.approx([15, 15], abs=0.3) and np.abs(tilts).max() <= 15 + 1e-9
    assert np.abs(np.mean(tilts, axis=0)).max() < 1.5
    assert abs(np.corrcoef(np.transpose(tilts))[0, 1]) < 0.25


def test_views_vary_on_their_own(drawn: list[BiplanarGeometry]) -> None:
    between = [
        np.degrees(np.arccos(g.views["ap"].T_reference_camera[:3, 2] @ g.views["lateral"].T_reference_camera[:3, 2]))
        for g in drawn
    ]
    assert 60 <= min(between) < 68 and 112 < max(between) <= 120


def test_both_views_share_an_isocentre(drawn: list[BiplanarGeometry]) -> None:
    centres = []
    for geometry in drawn:
        ap, lateral = (
            camera.source_mm + CARM.source_to_isocentre_mm * camera.T_reference_camera[:3, 2]
            for camera in geometry.views.values()
        )
        assert ap == pytest.approx(lateral, abs=1e-9)
        centres.append(ap)
    assert np.abs(centres).max(0) == pytest.approx([30, 30, 30], abs=0.5)
    assert np.abs(np.mean(centres, axis=0)).max() < 3
    assert np.abs(np.corrcoef(np.array(centres).T) - np.eye(3)).max() < 0.25


@pytest.fixture(scope="module")
def exposures() -> list[Physics]:
    rng = np.random.default_rng(1)
    return [varied_physics(rng) for _ in range(2000)]


def test_photons_are_log_uniform(exposures: list[Physics]) -> None:
    photons = np.array([physics.photons for physics in exposures])
    assert 200 <= photons.min() < 205 and 4900 < photons.max() <= 5000
    assert np.median(photons) == pytest.approx(1000, rel=0.08)
    assert (photons < 400).mean() == pytest.approx(np.log(2) / np.log(25), abs=0.03)


def test_spectra_have_passed_more_copper_than_those_of_training(exposures: list[Physics]) -> None:
    """At the lowest voltage, the most copper of training still leaves a softer spectrum than any of these."""
    water = Densities(np.array([20.0], dtype=np.float32), np.zeros(1, dtype=np.float32))
    passed = [float(physics.spectrum.transmission(water)[0]) / physics.spectrum.shares.sum() for physics in exposures]
    softest = Spectrum.tungsten(75.0, copper_mm=0.4)
    assert min(passed) > float(softest.transmission(water)[0]) / softest.shares.sum()
    assert np.std(passed) > 0.05 * np.mean(passed)


def test_scatter_and_blur_are_not_those_of_training(exposures: list[Physics], monkeypatch: pytest.MonkeyPatch) -> None:
    """What `training.appearance` blurs with is recorded: its scatter on coarse cells, its detector in pixels."""
    sigmas: list[tuple[int, float]] = []
    blurred = appearance._blurred

    def recorded(image: torch.Tensor, sigma_px: float) -> torch.Tensor:
        sigmas.append((image.shape[-1], sigma_px))
        return blurred(image, sigma_px)

    monkeypatch.setattr(appearance, "_blurred", recorded)
    rng = np.random.default_rng(2)
    for _ in range(200):
        appearance.exposed(torch.full((64, 64), 20.0), torch.ones(64, 64), rng)
    spreads = [sigma / width for width, sigma in sigmas if width == appearance.SCATTER_CELLS]
    assert len(spreads) == 200 and len(sigmas) == 400  # the detector's is one Gaussian
    widths = np.array([physics.scatter_width for physics in exposures])
    narrow, wide = widths < min(spreads), widths > max(spreads)
    assert (narrow | wide).all() and narrow.mean() == pytest.approx(0.5, abs=0.05)
    assert min(physics.glare_share for physics in exposures) >= 0.05
    assert min(physics.glare_px / physics.blur_px for physics in exposures) > 2.5
