"""Positions of a C-arm and exposures as an evaluation varies them."""

import dataclasses

import numpy as np

from radgs_core.geometry.camera import BiplanarGeometry
from radgs_core.xray.carm import CArm, biplanar_geometry
from radgs_core.xray.physics import Physics
from radgs_core.xray.spectrum import Spectrum

LARGEST_TILT_DEG = 15.0
LARGEST_SHIFT_MM = 30.0
FEWEST_PHOTONS, MOST_PHOTONS = 200.0, 5000.0
COPPER_MM = 0.5, 0.9
SCATTER_WIDTHS = (0.03, 0.06), (0.28, 0.4)
GLARE_SHARE, GLARE_PX = (0.05, 0.15), (3.0, 6.0)
"""What training never draws: it has up to 0.4 mm of copper, scatter that spreads over 0.07 to 0.25 of an image's width,
and a point spread of one Gaussian (`radgs_core.training.appearance`)."""
LATERAL_DEG = 90.0


def varied_geometry(carm: CArm, rng: np.random.Generator) -> BiplanarGeometry:
    """An AP and a lateral view, not quite.

    Each view is off by an orbital and an angular angle of its own, uniform within ``LARGEST_TILT_DEG`` either way. Both
    share an isocentre that is off along each axis of ``carm_base``, uniform within ``LARGEST_SHIFT_MM`` either way.
    """
    ap, lateral = rng.uniform(-LARGEST_TILT_DEG, LARGEST_TILT_DEG, (2, 2))
    isocentre_mm = rng.uniform(-LARGEST_SHIFT_MM, LARGEST_SHIFT_MM, 3).tolist()
    return biplanar_geometry(carm, (ap[0], ap[1]), (LATERAL_DEG + lateral[0], lateral[1]), isocentre_mm, isocentre_mm)


def varied_physics(rng: np.random.Generator) -> Physics:
    """`Physics.realistic` of an unknown dose, with a spectrum, scatter and blur that no network is trained with.

    Photons, detected as a mean behind the patient, are log-uniform between ``FEWEST_PHOTONS`` and ``MOST_PHOTONS``.
    Uniform are: the tube's 75..110 kV behind ``COPPER_MM``; the spread of the scatter, within either of
    ``SCATTER_WIDTHS``; the glare of the detector, ``GLARE_SHARE`` over ``GLARE_PX``.
    """
    photons = float(np.exp(rng.uniform(np.log(FEWEST_PHOTONS), np.log(MOST_PHOTONS))))
    return dataclasses.replace(
        Physics.realistic(rng, photons),
        spectrum=Spectrum.tungsten(rng.uniform(75.0, 110.0), copper_mm=rng.uniform(*COPPER_MM)),
        scatter_width=rng.uniform(*SCATTER_WIDTHS[int(rng.integers(len(SCATTER_WIDTHS)))]),
        glare_share=rng.uniform(*GLARE_SHARE),
        glare_px=rng.uniform(*GLARE_PX),
    )
