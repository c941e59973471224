"""From areal densities to the counts of a detector."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.optimize import brentq

from radgs_core.errors import InputError
from radgs_core.xray.collimator import Collimator
from radgs_core.xray.materials import Densities
from radgs_core.xray.spectrum import Spectrum

FULL_SCALE = 60000.0
"""Counts of the brightest pixel: images fit into 16 bits. The gain of a detector is unknown to its user anyway."""

BEHIND_PATIENT = float(np.exp(-1.0))
"""Pixels to which less of the beam arrives are behind the patient (5 cm of soft tissue); exposure is set on them."""


@dataclass(frozen=True)
class Physics:
    """Tube and detector of one exposure.

    Attributes:
        photons: mean number of detected photons a pixel behind the patient, scatter included.
        spectrum: their energies; all of them count the same.
        blur_px: standard deviation of the detector's point spread, pixels.
        glare_share, glare_px: share of the signal that spreads farther in the detector, as light does in a thick
            scintillator, and the standard deviation of that spread, pixels.
        scatter_share: share of scattered photons among those detected, as a mean over the pixels behind the patient.
        scatter_width: standard deviation of the scatter's spread, as a share of the image's width.
        heel: how much weaker the beam is at one border of the image than at the opposite one, as a share of its mean.
        heel_direction_deg: where it gets stronger, from the image's right towards its bottom.
        collimator: None for an open beam.
        saturation: largest signal the detector tells apart, in multiples of the mean behind the patient.
        electronic_noise: standard deviation of the read-out's noise, in photons.
    """

    photons: float
    spectrum: Spectrum
    blur_px: float
    glare_share: float = 0.0
    glare_px: float = 0.0
    scatter_share: float = 0.0
    scatter_width: float = 0.15
    heel: float = 0.0
    heel_direction_deg: float = 0.0
    collimator: Collimator | None = None
    saturation: float = np.inf
    electronic_noise: float = 0.0

    def __post_init__(self) -> None:
        if not 1 <= self.photons <= 1e7:
            raise InputError(f"photons must be between 1 and 10000000 a pixel, but is {self.photons:g}.")

    @classmethod
    def plain(cls, photons: float = 800.0) -> "Physics":
        """One energy, Poisson noise and blur, nothing else."""
        return cls(photons, Spectrum.monochromatic(), blur_px=0.5)

    @classmethod
    def realistic(cls, rng: np.random.Generator, photons: float = 800.0) -> "Physics":
        """A C-arm whose settings nobody wrote down, drawn uniformly.

        75..110 kV with 0.1..0.3 mm of copper; blur 0.4..1.0 px; 30..60 % scatter, spread over 10..20 % of the width;
        heel effect 10..30 % in any direction; collimator as ``Collimator.random``; saturation at 4 to 10 times the mean
        signal (air gives more than 20 times); electronic noise 2..6 photons.
        """
        return cls(
            photons,
            Spectrum.tungsten(rng.uniform(75.0, 110.0), copper_mm=rng.uniform(0.1, 0.3)),
            blur_px=rng.uniform(0.4, 1.0),
            scatter_share=rng.uniform(0.3, 0.6),
            scatter_width=rng.uniform(0.1, 0.2),
            heel=rng.uniform(0.1, 0.3),
            heel_direction_deg=rng.uniform(0.0, 360.0),
            collimator=Collimator.random(rng),
            saturation=rng.uniform(4.0, 10.0),
            electronic_noise=rng.uniform(2.0, 6.0),
        )

    @classmethod
    def named(cls, name: str, rng: np.random.Generator, photons: float = 800.0) -> "Physics":
        """``plain`` or ``realistic``.

        Raises:
            InputError: another name.
        """
        if name == "plain":
            return cls.plain(photons)
        if name == "realistic":
            return cls.realistic(rng, photons)
        raise InputError(f"physics must be realistic or plain, but is {name!r}.")

    def detect(self, densities: Densities, rng: np.random.Generator) -> NDArray[np.float32]:
        """Expose the detector.

        Args:
            densities: along every ray, g/cm^2, (height, width).
            rng: draws the noise.

        Returns:
            (height, width) float32 counts, air bright, scaled so that the brightest pixel has ``FULL_SCALE``.
        """
        height, width = densities.water.shape
        passed = self.spectrum.transmission(densities)
        beam = self._heel(height, width)
        open_field = np.ones_like(beam)
        if self.collimator is not None:
            open_field = self.collimator.transmission(height, width)
        primary = beam * open_field * passed
        behind = (passed < BEHIND_PATIENT) & (open_field > 0.5)
        if not behind.any():  # no patient in the beam: expose for what there is
            behind = open_field > 0.5
        signal = primary + self._scatter(primary, passed, behind)
        signal *= self.photons / signal[behind].mean()
        glare = ndimage.gaussian_filter(signal, self.glare_px, mode="nearest")
        signal = ndimage.gaussian_filter(signal, self.blur_px, mode="nearest")
        signal += np.float32(self.glare_share) * (glare - signal)
        counts = rng.poisson(signal) + rng.normal(0.0, self.electronic_noise, signal.shape)
        counts = np.clip(counts, 0.0, self.saturation * self.photons)
        return (counts * (FULL_SCALE / max(counts.max(), 1.0))).astype(np.float32)

    def _heel(self, height: int, width: int) -> NDArray[np.float32]:
        """Relative strength of the beam: a ramp through 1 at the centre."""
        y, x = np.mgrid[:height, :width]
        angle = np.radians(self.heel_direction_deg)
        along = np.cos(angle) * ((x + 0.5) / width - 0.5) + np.sin(angle) * ((y + 0.5) / height - 0.5)
        return (1.0 + self.heel * along).astype(np.float32)

    def _scatter(
        self, primary: NDArray[np.float32], passed: NDArray[np.float32], behind: NDArray[np.bool_]
    ) -> NDArray[np.float32]:
        """Scattered photons in units of ``primary``.

        Forward scatter grows with the photons that pass and with the matter they pass (Ohnesorge et al., Eur Radiol 9,
        1999: proportional to ``-p log p``), and spreads widely; air scatters nothing.
        """
        if self.scatter_share == 0:
            return np.zeros_like(primary)
        source = primary * -np.log(np.maximum(passed, np.float32(1e-12)))
        spread = ndimage.gaussian_filter(source, self.scatter_width * primary.shape[1], mode="nearest", truncate=3.0)
        relative = spread[behind] / np.maximum(primary[behind], np.float32(1e-12))
        if not relative.any():  # nothing in the beam
            return spread

        def excess_share(log_strength: float) -> float:
            scattered = np.exp(log_strength) * relative
            return float((scattered / (1 + scattered)).mean()) - self.scatter_share

        return spread * np.float32(np.exp(brentq(excess_share, -20.0, 20.0)))
