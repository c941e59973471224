"""Linear attenuation of a CT at one energy."""

import numpy as np
from numpy.typing import NDArray

MU_WATER_PER_MM = 0.02059
"""Linear attenuation of water at 60 keV, 1/mm: NIST's mass attenuation coefficient, 0.2059 cm^2/g
(Hubbell and Seltzer, NISTIR 5632), at 1 g/cm^3."""


def linear_attenuation(hu: NDArray) -> NDArray[np.float32]:
    """Hounsfield units (any shape) to linear attenuation at 60 keV, 1/mm; air and below give 0.

    By the definition of the Hounsfield unit: ``mu = MU_WATER_PER_MM * (1 + HU / 1000)``.
    """
    return np.maximum(np.float32(MU_WATER_PER_MM) * (1 + np.asarray(hu, dtype=np.float32) / 1000), np.float32(0))


def excess_attenuation(bone_hu: NDArray, fill_hu: NDArray) -> NDArray[np.float32]:
    """What bone attenuates more than the tissue that fills its place, 1/mm, may be negative; arrays of one shape, HU.

    The body with the fill, plus this excess, is exactly the CT: line integrals add.
    """
    return linear_attenuation(bone_hu) - linear_attenuation(fill_hu)
