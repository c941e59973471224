"""Blades that keep the beam away from the borders of the image."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PENUMBRA_PX = 1.5
"""Half width of a blade's edge in the image: the focal spot is not a point."""


@dataclass(frozen=True)
class Collimator:
    """A rectangular opening.

    Attributes:
        left, right, top, bottom: how far each blade reaches into the image, as a share of its width or height.
        rotation_deg: of the opening about the image's centre.
        leak: share of the beam that passes the blades.
    """

    left: float = 0.0
    right: float = 0.0
    top: float = 0.0
    bottom: float = 0.0
    rotation_deg: float = 0.0
    leak: float = 0.005

    @classmethod
    def random(cls, rng: np.random.Generator) -> "Collimator":
        """Blades 1..8 % into the image, each its own, turned by up to 3 degrees."""
        left, right, top, bottom = rng.uniform(0.01, 0.08, 4)
        return cls(left, right, top, bottom, rng.uniform(-3.0, 3.0))

    def transmission(self, height: int, width: int) -> NDArray[np.float32]:
        """Share of the beam that arrives at each pixel, (height, width)."""
        y, x = np.mgrid[:height, :width].astype(np.float32)
        x, y = x + 0.5 - width / 2, y + 0.5 - height / 2
        c, s = np.cos(np.radians(self.rotation_deg)), np.sin(np.radians(self.rotation_deg))
        u, v = c * x + s * y, c * y - s * x
        inside = np.minimum.reduce(
            [
                u + width * (0.5 - self.left),
                width * (0.5 - self.right) - u,
                v + height * (0.5 - self.top),
                height * (0.5 - self.bottom) - v,
            ]
        )
        opening = np.clip((inside + PENUMBRA_PX) / (2 * PENUMBRA_PX), 0, 1)
        return (self.leak + (1 - self.leak) * opening).astype(np.float32)
