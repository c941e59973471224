import numpy as np
import pytest

from radgs_core.xray.attenuation import MU_WATER_PER_MM, excess_attenuation, linear_attenuation
from radgs_core.xray.materials import BONE_ATTENUATION_60_KEV_CM2_G, BONE_DENSITY_G_CM3, BONE_ONLY_HU, split
from radgs_core.xray.spectrum import Spectrum


def test_at_60_kev_the_mixture_attenuates_as_hounsfield_units_say() -> None:
    hu = np.arange(-1100, 3100)
    densities = split(hu)
    mixture = (10 * MU_WATER_PER_MM * densities.water + BONE_ATTENUATION_60_KEV_CM2_G * densities.bone) / 10
    assert np.allclose(mixture, linear_attenuation(hu), atol=1e-8)


@pytest.mark.parametrize(
    ("hu", "water", "bone"),
    [(-1000, 0.0, 0.0), (-1024, 0.0, 0.0), (0, 1.0, 0.0), (60, 1.06, 0.0), (BONE_ONLY_HU, 0.0, BONE_DENSITY_G_CM3)],
)
def test_known_tissues(hu: float, water: float, bone: float) -> None:
    densities = split(np.array([hu]))
    assert densities.water[0] == pytest.approx(water, abs=1e-5)
    assert densities.bone[0] == pytest.approx(bone, abs=1e-5)


def test_densities_are_continuous_and_not_negative() -> None:
    densities = split(np.arange(-1024, 3072))
    for values in (densities.water, densities.bone):
        assert values.min() >= 0
        assert np.abs(np.diff(values)).max() < 2e-3


def test_excess_is_what_bone_adds_to_its_fill() -> None:
    bone, fill = np.array([700, 30, -50]), np.array([40, 40, 40])
    assert np.allclose(excess_attenuation(bone, fill) + linear_attenuation(fill), linear_attenuation(bone))
    assert excess_attenuation(bone, fill)[2] < 0


@pytest.mark.parametrize("kvp", [70, 83.0, 120])
def test_shares_of_energies_add_up(kvp: float) -> None:
    spectrum = Spectrum.tungsten(kvp, copper_mm=0.2)
    assert spectrum.shares.sum() == pytest.approx(1)
    assert (spectrum.shares > 0).all()


def test_one_energy_follows_beer_and_lambert() -> None:
    passed = Spectrum.monochromatic().transmission(split(np.zeros(3)))
    assert passed == pytest.approx(np.exp(-10 * MU_WATER_PER_MM))


def test_filters_and_voltage_harden_the_beam() -> None:
    def attenuation(spectrum: Spectrum) -> float:
        return float(spectrum.shares @ spectrum.water_cm2_g)

    soft = attenuation(Spectrum.tungsten(80))
    assert attenuation(Spectrum.tungsten(110)) < soft
    assert attenuation(Spectrum.tungsten(80, copper_mm=0.3)) < attenuation(Spectrum.tungsten(80, aluminium_mm=1)) < soft


def test_a_thick_body_hardens_the_beam() -> None:
    """The 20th centimetre attenuates less than the first; monochromatic ones attenuate alike."""
    depth = np.arange(0, 30, dtype=np.float32)
    for spectrum, hardens in ((Spectrum.tungsten(90), True), (Spectrum.monochromatic(), False)):
        densities = split(np.zeros(30))
        densities = type(densities)(densities.water * depth, densities.bone)
        per_cm = -np.diff(np.log(spectrum.transmission(densities)))
        assert (per_cm[20] < 0.9 * per_cm[0]) == hardens
