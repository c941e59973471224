"""The local correlation in plain torch and float64, window by window from its definition, for tests."""

from dataclasses import dataclass

import torch
from plain_filters import kernel_radius

RIDGE = 0.3
FLOOR_SHARE = 1e-3


@dataclass(frozen=True)
class PlainWindows:
    """Gaussian windows, one every ``stride`` pixels; ``rows`` (h, H) and ``columns`` (w, W) hold their weights."""

    rows: torch.Tensor
    columns: torch.Tensor

    @classmethod
    def of(cls, image_shape: tuple[int, int], sigma_px: float, stride: int) -> "PlainWindows":
        """Windows of some width on an image (H, W)."""
        return cls(*(_weights(size, sigma_px / stride, stride) for size in image_shape))

    def gather(self, image: torch.Tensor) -> torch.Tensor:
        """Sums over windows (..., h, w) of images (..., H, W)."""
        return self.rows @ image @ self.columns.T


def _weights(size: int, sigma_cells: float, stride: int) -> torch.Tensor:
    radius = kernel_radius(sigma_cells)
    kernel = torch.tensor(
        [-0.5 * (k / sigma_cells) ** 2 for k in range(-radius, radius + 1)], dtype=torch.float64
    ).exp()
    kernel = kernel / kernel.sum()
    weights = torch.zeros(-(-size // stride), size, dtype=torch.float64)
    for window in range(len(weights)):
        for pixel in range(size):
            offset = pixel // stride - window
            if abs(offset) <= radius:
                weights[window, pixel] = kernel[offset + radius]
    return weights


@dataclass(frozen=True)
class PlainFit:
    """Gains a and b, shares that are explained, with both and with the body alone: (h, w) each."""

    a: torch.Tensor
    b: torch.Tensor
    explained: torch.Tensor
    by_body: torch.Tensor


@dataclass(frozen=True)
class PlainCorrelation:
    """Like `LocalCorrelation`; ``target`` (2, H, W) and ``usable`` (H, W) are float64."""

    target: torch.Tensor
    usable: torch.Tensor
    windows: PlainWindows
    ridge: float = RIDGE

    def fit(self, body: torch.Tensor, bone: torch.Tensor) -> PlainFit:
        """The best gains: of all choices of which are 0, the one that explains most; differentiable."""
        products = self._products(body, bone)
        _, fb, fm, bb, bm, mm = products
        m1, m2, m12 = bb + self.ridge * mm, mm + self.ridge * mm, bm - self.ridge * mm
        determinant = m1 * m2 - m12 * m12
        none = torch.zeros_like(fb)
        choices = [
            ((m2 * fb - m12 * fm) / determinant, (m1 * fm - m12 * fb) / determinant),
            (fb / m1, none),
            (none, fm / m2),
            (none, none),
        ]
        best_a, best_b, best = none, none, none
        for a, b in choices:
            explained = self._explained(a, b, products)
            better = (a >= 0) & (b >= 0) & (explained > best)
            best_a, best_b = torch.where(better, a, best_a), torch.where(better, b, best_b)
            best = torch.where(better, explained, best)
        by_body = fb.clamp(min=0) ** 2 / (products[0] * bb)
        return PlainFit(best_a, best_b, best, by_body)

    def explained(self, fit: PlainFit, body: torch.Tensor, bone: torch.Tensor) -> torch.Tensor:
        """What the gains of another fit explain."""
        return self._explained(fit.a, fit.b, self._products(body, bone))

    def _products(self, body: torch.Tensor, bone: torch.Tensor) -> list[torch.Tensor]:
        f, b, m = self.target, body, bone
        pairs = ((f, f), (f, b), (f, m), (b, b), (b, m), (m, m))
        products = [self.windows.gather((p * q).sum(0) * self.usable) for p, q in pairs]
        for k in (0, 3):
            products[k] = products[k] + FLOOR_SHARE * products[k].mean()
        return products

    def _explained(self, a: torch.Tensor, b: torch.Tensor, products: list[torch.Tensor]) -> torch.Tensor:
        ff, fb, fm, bb, bm, mm = products
        error = ff - 2 * a * fb - 2 * b * fm + a * a * bb + 2 * a * b * bm + b * b * mm + self.ridge * (a - b) ** 2 * mm
        return 1 - error / ff
