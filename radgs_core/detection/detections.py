"""What a detector says: where every landmark is in every view, how exactly, and whether it is there at all."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Detections:
    """Places of V views, L levels (in the case's order) and P landmarks (`LANDMARKS`).

    Attributes:
        pixels: (V, L, P, 2) float64 (column, row) in the view's own pixels, centres at integers.
        sigma_px: (V, L, P) float64, standard deviation of each coordinate, pixels.
        confidence: (V, L, P) float64, probability that the landmark is in the image and at this place.

    Raises:
        ValueError: shapes that do not belong together, numbers that are not finite, a standard deviation that is not
            positive, or a confidence outside 0..1.
    """

    pixels: NDArray[np.float64]
    sigma_px: NDArray[np.float64]
    confidence: NDArray[np.float64]

    def __post_init__(self) -> None:
        if self.pixels.ndim != 4 or self.pixels.shape[-1] != 2:
            raise ValueError(f"pixels must be (V, L, P, 2), but their shape is {self.pixels.shape}.")
        for name in ("sigma_px", "confidence"):
            shape = getattr(self, name).shape
            if shape != self.pixels.shape[:3]:
                raise ValueError(f"{name} must be {self.pixels.shape[:3]} like the pixels, but its shape is {shape}.")
        for name in ("pixels", "sigma_px", "confidence"):
            if not np.isfinite(getattr(self, name)).all():
                raise ValueError(f"{name} holds NaN or infinite numbers.")
        if (self.sigma_px <= 0).any():
            raise ValueError("sigma_px must be positive.")
        if (self.confidence < 0).any() or (self.confidence > 1).any():
            raise ValueError("confidence must lie between 0 and 1.")
