"""Hounsfield units as a mixture of water and cortical bone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radgs_core.xray.attenuation import MU_WATER_PER_MM

WATER_ONLY_HU = 100.0
"""Up to here a voxel counts as (more or less dense) water: muscle and organs are at 30..80 HU."""

BONE_DENSITY_G_CM3 = 1.92
"""Cortical bone, ICRU report 44."""

BONE_ATTENUATION_60_KEV_CM2_G = 0.3148
"""Mass attenuation of cortical bone at 60 keV (Hubbell and Seltzer, NISTIR 5632)."""

BONE_ONLY_HU = 1000 * (BONE_ATTENUATION_60_KEV_CM2_G * BONE_DENSITY_G_CM3 / 10 / MU_WATER_PER_MM - 1)
"""Hounsfield units of solid cortical bone, about 1935; above, bone is denser."""


@dataclass(frozen=True)
class Densities:
    """Partial densities of the two materials, arrays of one shape: g/cm^3 of a voxel, or g/cm^2 along a ray."""

    water: NDArray[np.float32]
    bone: NDArray[np.float32]


def split(hu: NDArray) -> Densities:
    """Partial densities, g/cm^3, of voxels given in Hounsfield units.

    Two materials as in beam-hardening correction (Joseph and Spital, J Comput Assist Tomogr 2, 1978), piecewise linear:
    water of density 1 + HU/1000 up to ``WATER_ONLY_HU``, then volume fractions of that water and of solid bone up to
    ``BONE_ONLY_HU``, then bone alone. At 60 keV the mixture attenuates exactly ``MU_WATER_PER_MM (1 + HU/1000)``.
    """
    hu = np.maximum(np.asarray(hu, dtype=np.float32), np.float32(-1000))
    bone_share = np.maximum(0, (hu - WATER_ONLY_HU) / np.float32(BONE_ONLY_HU - WATER_ONLY_HU))
    dense_bone = np.maximum(1, (1 + hu / 1000) / np.float32(1 + BONE_ONLY_HU / 1000))
    water = (1 + np.minimum(hu, WATER_ONLY_HU) / 1000) * (1 - np.minimum(bone_share, 1))
    bone = BONE_DENSITY_G_CM3 * np.minimum(bone_share, 1) * dense_bone
    return Densities(water.astype(np.float32), bone.astype(np.float32))
