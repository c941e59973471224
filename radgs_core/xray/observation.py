"""From the pixels of an X-ray to line integrals, and to which pixels can be trusted."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

from radgs_core.errors import InputError
from radgs_core.geometry.camera import XrayCamera
from radgs_core.xray.blades import inside_blades

SATURATED_SHARE = 1e-3
"""An extreme value that more pixels than this share have is where the detector stops telling signals apart."""


@dataclass(frozen=True)
class Observation:
    """One X-ray, ready to be compared with renderings.

    Attributes:
        camera: the view.
        line_integral: (H, W) float32, up to an unknown curve that scatter, beam hardening and the detector make.
        usable: (H, W) float32, 1 where the detector measured, 0 where it was saturated or covered by blades.
    """

    camera: XrayCamera
    line_integral: torch.Tensor
    usable: torch.Tensor


def observe(pixels: NDArray, camera: XrayCamera) -> Observation:
    """Turn pixels into line integrals.

    ``transmission``: ``-log(counts / brightest)`` by Beer and Lambert's law; ``attenuation``: the pixels as they are.

    Args:
        pixels: (height, width) as the camera's ``intensity`` says.
        camera: the view.

    Raises:
        InputError: another size than the camera's, NaN, negative counts, or an image that shows nothing.
    """
    pixels = np.asarray(pixels, dtype=np.float32)
    if pixels.shape != (camera.height, camera.width):
        size = " x ".join(str(n) for n in reversed(pixels.shape))
        raise InputError(
            f"{camera.name}: the image is {size} pixels, but its camera says {camera.width} x {camera.height}."
        )
    if not np.isfinite(pixels).all():
        raise InputError(f"{camera.name}: the image holds NaN or infinite pixels; replace them by valid values.")
    if pixels.min() == pixels.max():
        raise InputError(
            f"{camera.name}: every pixel of the image has the same value; check the detector and the exposure."
        )
    if camera.intensity == "attenuation":
        line_integral = pixels
        usable = ~_plateau(pixels, float(pixels.min()))
    else:
        if pixels.min() < 0:
            raise InputError(
                f"{camera.name}: the image holds negative counts; give transmission, or set intensity to attenuation."
            )
        line_integral = -np.log(np.maximum(pixels, _smallest_count(pixels)) / pixels.max())
        usable = ~_plateau(pixels, float(pixels.max()))
    usable &= inside_blades(line_integral)
    return Observation(camera, torch.as_tensor(line_integral), torch.as_tensor(usable.astype(np.float32)))


def _plateau(pixels: NDArray[np.float32], extreme: float) -> NDArray[np.bool_]:
    """Pixels at an extreme value, with their neighbours, if they are too many to be single peaks."""
    at_extreme = pixels == extreme
    if at_extreme.mean() < SATURATED_SHARE:
        return np.zeros_like(at_extreme)
    return ndimage.binary_dilation(at_extreme, iterations=2)


def _smallest_count(pixels: NDArray[np.float32]) -> float:
    """Half the smallest count above zero: pixels without a single photon get a finite line integral."""
    return float(pixels[pixels > 0].min()) / 2
