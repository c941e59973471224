"""Energies of the photons that an X-ray tube and a detector make use of, and what the body does to each.

Mass attenuation: Hubbell and Seltzer, NISTIR 5632; cortical bone as in ICRU report 44. Tube spectra: SpekPy 2.5.4
(``Spek(kvp=kvp, th=12, mu_data_source="nist")`` behind 3 mm of aluminium), fluence in steps of 10 keV from 20 keV. The
coefficients are those of the middle of each step.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radgs_core.errors import InputError
from radgs_core.xray.attenuation import MU_WATER_PER_MM
from radgs_core.xray.materials import BONE_ATTENUATION_60_KEV_CM2_G, Densities

# energies 25, 35, ..., 115 keV
_WATER_CM2_G = np.array([0.5277, 0.3131, 0.2455, 0.2156, 0.1994, 0.1884, 0.1801, 0.1736, 0.1681, 0.1635])
_BONE_CM2_G = np.array([2.176, 0.9135, 0.5224, 0.3618, 0.2845, 0.2398, 0.2117, 0.1932, 0.1804, 0.1713])
_ALUMINIUM_PER_MM = np.array([0.5030, 0.2109, 0.1220, 0.0858, 0.0686, 0.0585, 0.0520, 0.0478, 0.0449, 0.0428])
_COPPER_PER_MM = np.array([16.25, 6.339, 3.139, 1.808, 1.163, 0.8064, 0.5953, 0.4618, 0.3764, 0.3198])
_ABSORBED_BY_DETECTOR = np.array([0.982, 0.993, 0.990, 0.933, 0.823, 0.693, 0.571, 0.468, 0.385, 0.321])
"""Share of the photons that 0.6 mm of caesium iodide, 4.51 g/cm^3, stop."""

_TUBE_KVP = np.array([70, 80, 90, 100, 110, 120])
_TUBE_FLUENCE = np.array(
    [
        [0.1947, 0.3217, 0.2640, 0.1625, 0.0571, 0.0000, 0.0000, 0.0000, 0.0000, 0.0000],
        [0.1559, 0.2755, 0.2437, 0.1858, 0.1055, 0.0337, 0.0000, 0.0000, 0.0000, 0.0000],
        [0.1282, 0.2396, 0.2233, 0.2000, 0.1238, 0.0631, 0.0221, 0.0000, 0.0000, 0.0000],
        [0.1081, 0.2122, 0.2059, 0.2090, 0.1318, 0.0735, 0.0443, 0.0152, 0.0000, 0.0000],
        [0.0925, 0.1900, 0.1908, 0.2172, 0.1359, 0.0767, 0.0538, 0.0321, 0.0109, 0.0000],
        [0.0808, 0.1731, 0.1792, 0.2203, 0.1375, 0.0775, 0.0585, 0.0407, 0.0242, 0.0081],
    ]
)


@dataclass(frozen=True)
class Spectrum:
    """Detected photons by energy, without a body in the beam.

    Attributes:
        shares: (E,) share of the detected photons that each energy has; they add up to 1.
        water_cm2_g, bone_cm2_g: (E,) mass attenuation of water and cortical bone at these energies, cm^2/g.
    """

    shares: NDArray[np.float64]
    water_cm2_g: NDArray[np.float64]
    bone_cm2_g: NDArray[np.float64]

    @classmethod
    def monochromatic(cls) -> "Spectrum":
        """60 keV, the energy at which attenuation is linear in Hounsfield units here."""
        return cls(np.ones(1), np.array([10 * MU_WATER_PER_MM]), np.array([BONE_ATTENUATION_60_KEV_CM2_G]))

    @classmethod
    def tungsten(cls, kvp: float, aluminium_mm: float = 0.0, copper_mm: float = 0.0) -> "Spectrum":
        """A tungsten tube behind 3 mm of aluminium and further filters, as a caesium iodide detector counts it.

        Args:
            kvp: tube voltage, 70 to 120 kV.
            aluminium_mm, copper_mm: thickness of the further filters.

        Raises:
            InputError: a voltage outside the table.
        """
        if not _TUBE_KVP[0] <= kvp <= _TUBE_KVP[-1]:
            raise InputError(
                f"the tube voltage must lie between {_TUBE_KVP[0]} and {_TUBE_KVP[-1]} kV, but is {kvp:g}."
            )
        fluence = np.array([np.interp(kvp, _TUBE_KVP, column) for column in _TUBE_FLUENCE.T])
        filtered = fluence * np.exp(-_ALUMINIUM_PER_MM * aluminium_mm - _COPPER_PER_MM * copper_mm)
        detected = filtered * _ABSORBED_BY_DETECTOR
        used = detected > 0
        return cls(detected[used] / detected.sum(), _WATER_CM2_G[used], _BONE_CM2_G[used])

    def transmission(self, densities: Densities) -> NDArray[np.float32]:
        """Share of the photons (Beer and Lambert, per energy) that pass areal densities, g/cm^2, of any shape."""
        passed = np.zeros_like(densities.water)
        for share, water, bone in zip(self.shares, self.water_cm2_g, self.bone_cm2_g, strict=True):
            passed += np.float32(share) * np.exp(
                -np.float32(water) * densities.water - np.float32(bone) * densities.bone
            )
        return passed
