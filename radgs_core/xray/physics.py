from dataclasses import dataclass
import numpy as np
from scipy import ndimage
@dataclass(frozen=True)
class Physics:
    photons: float = 800.0
    blur_px: float = 0.5
    @classmethod
    def plain(cls, photons: float = 800.0) -> "Physics":
        return cls(photons)
    def detect(self, d, rng):
        p = np.exp(-(0.2059 * d.water + 0.3148 * d.bone))
        p = ndimage.gaussian_filter(p, self.blur_px)
        behind = p < np.exp(-1)
        g = self.photons / p[behind].mean()
        return rng.poisson(p * g).astype(np.float32)
