"""From areal densities to an X-ray with settings nobody wrote down: what varies between systems, drawn at random.

Wider than any one system, so that a network trained on it meets nothing new: tube, filter, scatter, heel effect,
collimation, saturation, exposure, noise, blur, the detector's curve, and metal tools in the beam. It shares the
table of spectra with the physics that evaluations use (`radgs_core.xray.physics`), and no other code.
"""

import numpy as np
import torch
from torch.nn import functional

from radgs_core.xray.spectrum import Spectrum

SCATTER_CELLS = 32
"""Scatter is smooth: it is spread on a grid of so many cells along the image."""
BEHIND_PATIENT = 1.0
"""Line integral from which a pixel lies behind the patient."""
TOOL_CHANCE = 0.35


def exposed(water: torch.Tensor, bone: torch.Tensor, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Expose a detector.

    Args:
        water, bone: (H, W) float32 areal densities along the rays, g/cm^2.
        rng: draws all settings and the noise.

    Returns:
        The line integral (H, W) float32 as it would be taken from the counts, up to the detector's curve, and where it
        is usable (H, W) float32, 1 or 0.
    """
    height, width = water.shape
    if rng.random() < TOOL_CHANCE:
        bone = bone + _tools(height, width, rng)
    spectrum = Spectrum.tungsten(rng.uniform(70, 120), rng.uniform(0, 2), rng.uniform(0, 0.4))
    passed = torch.zeros_like(water)
    for share, by_water, by_bone in zip(spectrum.shares, spectrum.water_cm2_g, spectrum.bone_cm2_g, strict=True):
        passed += float(share) * torch.exp(-float(by_water) * water - float(by_bone) * bone)
    opening = _opening(height, width, rng)
    primary = _heel(height, width, rng) * (0.005 + 0.995 * opening) * passed
    attenuated = -passed.clamp_min(1e-9).log()
    behind = (attenuated > BEHIND_PATIENT) & (opening > 0.5)
    if not behind.any():
        behind = opening > 0.5
    signal = primary + _scatter(primary * attenuated, primary, behind, rng)
    signal = signal / signal[behind].mean()
    signal = _blurred(signal, rng.uniform(0.3, 0.9))
    photons = np.exp(rng.uniform(np.log(500), np.log(30000)))  # a pixel here is four to eight of a detector
    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    noise = torch.randn(signal.shape, generator=generator)
    counts = signal * photons
    counts = counts + noise * (counts + rng.uniform(0, 8) ** 2).sqrt()
    ceiling = rng.uniform(3, 12) * photons
    usable = (opening > 0.99) & (counts < ceiling)
    line_integral = -(counts.clamp(min=1.0, max=ceiling) / ceiling).log()
    lowest = line_integral.min()
    span = (line_integral.max() - lowest).clamp_min(1e-3)
    curve = ((line_integral - lowest) / span).clamp_min(1e-6) ** rng.uniform(0.7, 1.4)
    return curve * span, usable.float()


def _grid(height: int, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Columns and rows of all pixels as shares of the image's size about its centre."""
    y = (torch.arange(height) + 0.5) / height - 0.5
    x = (torch.arange(width) + 0.5) / width - 0.5
    return x[None, :].expand(height, width), y[:, None].expand(height, width)


def _heel(height: int, width: int, rng: np.random.Generator) -> torch.Tensor:
    x, y = _grid(height, width)
    angle, strength = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.4)
    return 1 + strength * (np.cos(angle) * x + np.sin(angle) * y)


def _opening(height: int, width: int, rng: np.random.Generator) -> torch.Tensor:
    """1 inside the collimator's opening, 0 outside, a penumbra of a few pixels in between."""
    x, y = _grid(height, width)
    angle = np.radians(rng.uniform(-5, 5))
    u, v = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
    blades = rng.uniform(0, 0.1, 4) * (rng.random(4) < 0.8)
    inside = torch.stack([u + 0.5 - blades[0], 0.5 - blades[1] - u, v + 0.5 - blades[2], 0.5 - blades[3] - v]).amin(0)
    inside = torch.where(torch.tensor(blades.max() > 0), inside, torch.ones_like(inside))
    return (inside * width / 2 + 0.5).clamp(0, 1)


def _scatter(
    source: torch.Tensor, primary: torch.Tensor, behind: torch.Tensor, rng: np.random.Generator
) -> torch.Tensor:
    """Forward scatter, proportional to ``-p log p`` where it starts (Ohnesorge et al., Eur Radiol 9, 1999), spread."""
    share, spread = rng.uniform(0.15, 0.7), rng.uniform(0.07, 0.25)
    coarse = functional.interpolate(source[None, None], (SCATTER_CELLS, SCATTER_CELLS), mode="area")[0, 0]
    smooth = _blurred(coarse, spread * SCATTER_CELLS)
    smooth = functional.interpolate(smooth[None, None], source.shape, mode="bilinear")[0, 0]
    strength = share / (1 - share) * primary[behind].mean() / smooth[behind].mean().clamp_min(1e-12)
    return strength * smooth


def _tools(height: int, width: int, rng: np.random.Generator) -> torch.Tensor:
    """Areal density of one to three rods or screws of steel or titanium, as that much bone."""
    x, y = _grid(height, width)
    total = torch.zeros(height, width)
    for _ in range(rng.integers(1, 4)):
        angle = rng.uniform(0, np.pi)
        cx, cy = rng.uniform(-0.5, 0.5, 2)
        along = np.cos(angle) * (x - cx) + np.sin(angle) * (y - cy)
        across = np.cos(angle) * (y - cy) - np.sin(angle) * (x - cx)
        radius, half_length = rng.uniform(0.004, 0.02), rng.uniform(0.05, 0.5)
        thickness = (1 - (across / radius) ** 2).clamp_min(0).sqrt() * (along.abs() < half_length)
        total = total + rng.uniform(3, 25) * thickness
    return total


def _blurred(image: torch.Tensor, sigma_px: float) -> torch.Tensor:
    """Gaussian blur of (H, W)."""
    radius = max(1, int(3 * sigma_px + 0.5))
    offsets = torch.arange(-radius, radius + 1, dtype=image.dtype)
    kernel = torch.exp(-0.5 * (offsets / sigma_px) ** 2)
    kernel = kernel / kernel.sum()
    padded = functional.pad(image[None, None], [radius] * 4, mode="replicate")
    rows = functional.conv2d(padded, kernel.view(1, 1, 1, -1))
    return functional.conv2d(rows, kernel.view(1, 1, -1, 1))[0, 0]
