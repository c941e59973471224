from dataclasses import replace

import numpy as np
import pytest

from radgs_core.errors import InputError
from radgs_core.xray.collimator import Collimator
from radgs_core.xray.materials import Densities
from radgs_core.xray.physics import FULL_SCALE, Physics

SIZE = 128


def slab(thickness_cm: float = 20.0) -> Densities:
    """Water of one thickness, and air in the leftmost eighth."""
    water = np.full((SIZE, SIZE), thickness_cm, np.float32)
    water[:, : SIZE // 8] = 0
    return Densities(water, np.zeros_like(water))


BEHIND = np.s_[:, SIZE // 8 + 8 :]
QUIET = Physics.plain(1e6)  # noise of a thousandth


def detect(physics: Physics, densities: Densities | None = None, seed: int = 0) -> np.ndarray:
    return physics.detect(densities or slab(), np.random.default_rng(seed))


@pytest.mark.parametrize("photons", [200.0, 800.0, 5000.0])
def test_noise_is_that_of_the_photons_behind_the_patient(photons: float) -> None:
    behind = detect(Physics.plain(photons))[BEHIND]
    assert behind.std() / behind.mean() == pytest.approx(1 / np.sqrt(photons), rel=0.03)


def test_plain_transmission_follows_beer_and_lambert() -> None:
    image = detect(QUIET)
    air, behind = image[:, :8].mean(), image[BEHIND].mean()
    assert np.log(air / behind) == pytest.approx(20 * 0.2059, rel=1e-3)


def test_scatter_has_its_share_and_reduces_contrast() -> None:
    clear, hazy = detect(QUIET), detect(replace(QUIET, scatter_share=0.4, scatter_width=0.15))
    detail = slab()
    detail.water[60:64, 60:64] += 1
    contrast_clear, contrast_hazy = (
        1 - detect(physics, detail)[61:63, 61:63].mean() / detect(physics)[61:63, 61:63].mean()
        for physics in (QUIET, replace(QUIET, scatter_share=0.4, scatter_width=0.15))
    )
    assert contrast_hazy == pytest.approx(0.6 * contrast_clear, rel=0.2)
    # in proportion to the air's signal, more arrives behind the patient
    assert hazy[BEHIND].mean() / hazy[:, :8].mean() > 1.2 * clear[BEHIND].mean() / clear[:, :8].mean()


def test_scatter_is_smooth() -> None:
    edge = slab()
    edge.water[: SIZE // 2, SIZE // 8 :] -= 2
    step_clear, step_hazy = (
        detect(physics, edge)[:, 60:100].mean(1) for physics in (QUIET, replace(QUIET, scatter_share=0.4))
    )
    jump, approach = step_hazy[60] - step_hazy[67], step_hazy[53] - step_hazy[60]
    assert jump > 5 * approach  # scatter does not blur the edge between rows 63 and 64
    assert step_hazy[80] - step_hazy[120] > 20 * abs(step_clear[80] - step_clear[120])  # but reaches far beyond it


def test_the_heel_effect_is_a_ramp_in_its_direction() -> None:
    image = detect(replace(QUIET, heel=0.3, heel_direction_deg=90.0))[BEHIND]
    assert image[-8:].mean() / image[:8].mean() == pytest.approx(1.15 / 0.85, rel=0.03)
    assert image[:, :8].mean() == pytest.approx(image[:, -8:].mean(), rel=0.01)


def test_blades_darken_their_borders_only() -> None:
    collimator = Collimator(left=0.02, right=0.1, top=0.05, bottom=0.2, leak=0.01)
    passed = collimator.transmission(SIZE, SIZE)
    assert passed[SIZE // 2, SIZE // 2] == 1
    shadow = passed < 0.5
    assert shadow[:, -12:].all() and not shadow[40, 4:-14].any()
    assert shadow[-25:].all() and shadow[:6].all() and shadow[40, :2].all()
    assert passed[-1, 50] == pytest.approx(0.01)
    turned = replace(collimator, rotation_deg=5.0).transmission(SIZE, SIZE)
    right_edge = (turned[20:90] > 0.5).sum(1) + 0.0
    assert abs(right_edge[0] - right_edge[-1]) < 4  # both sides turn together


def test_air_saturates() -> None:
    image = detect(replace(Physics.plain(800), saturation=5.0))
    assert image.max() == pytest.approx(FULL_SCALE)
    assert (image[:, :8] == image.max()).all()
    assert image[BEHIND].mean() == pytest.approx(FULL_SCALE / 5, rel=0.01)


def test_blur_softens_edges() -> None:
    sharp, soft = (detect(replace(QUIET, blur_px=blur))[:, SIZE // 8 + 1].mean() for blur in (0.3, 1.0))
    assert soft > 2 * sharp


def test_glare_reaches_farther_than_blur() -> None:
    clear, hazy = (detect(replace(QUIET, blur_px=0.5, glare_share=share, glare_px=4.0)) for share in (0.0, 0.2))
    darker = SIZE // 8 + 6
    assert hazy[:, darker].mean() > 1.5 * clear[:, darker].mean()
    far = SIZE // 8 + 24
    assert hazy[:, far].mean() == pytest.approx(hazy[:, -8:].mean(), rel=0.01)


@pytest.mark.parametrize("seed", range(4))
def test_realistic_images_fit_into_16_bits(seed: int) -> None:
    image = detect(Physics.realistic(np.random.default_rng(seed), 200.0))
    assert image.dtype == np.float32 and image.shape == (SIZE, SIZE)
    assert image.min() >= 0 and image.max() == pytest.approx(FULL_SCALE)


def test_a_seed_gives_one_physics_and_one_noise() -> None:
    first, second = (Physics.realistic(np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(detect(first, seed=5), detect(second, seed=5))
    assert not np.array_equal(detect(first, seed=5), detect(first, seed=6))
    assert Physics.realistic(np.random.default_rng(4)).scatter_share != first.scatter_share


def test_an_empty_beam_is_exposed_too() -> None:
    nothing = Densities(np.zeros((32, 32), np.float32), np.zeros((32, 32), np.float32))
    assert np.isfinite(detect(Physics.realistic(np.random.default_rng(0)), nothing)).all()


@pytest.mark.parametrize("photons", [0.0, -5.0, float("nan"), float("inf")])
def test_impossible_exposures_are_refused(photons: float) -> None:
    with pytest.raises(InputError, match="photons must be"):
        Physics.plain(photons)


def test_unknown_physics_is_refused() -> None:
    rng = np.random.default_rng(0)
    assert Physics.named("plain", rng, 500.0).photons == Physics.named("realistic", rng, 500.0).photons == 500
    with pytest.raises(InputError, match="realistic or plain"):
        Physics.named("magic", rng)
