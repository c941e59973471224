"""Gauss-Newton equations of one view: derivatives of gradient images, multiplied over the pixels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from radgs_core.kernels import normal_equations as kernels
from radgs_core.kernels.engine import launch
from radgs_core.registration.similarity import LocalFit

ROWS_A_BAND = 16
"""Sums are float32 within a band and float64 beyond."""


@dataclass(frozen=True)
class PlacedDerivatives:
    """Derivatives of a gradient image by the six pose parameters of one object; zero beyond these pixels.

    Attributes:
        derivatives: (6, 2, h, w) float32.
        top, left: row and column of the first pixel in the whole image; pixels may lie outside of it.
    """

    derivatives: torch.Tensor
    top: int
    left: int


def normal_equations(
    body: torch.Tensor, levels: Sequence[PlacedDerivatives], fit: LocalFit
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Gradient and Gauss-Newton curvature of the local correlation's weighted sum (`LocalFit`) by all poses.

    Args:
        body: (6, 2, H, W) float32 derivatives of the body's gradient image.
        levels: those of the L vertebrae.
        fit: the local correlation at this rendering.

    Returns:
        (6 + 6 L,) and (6 + 6 L, 6 + 6 L), body first. The same for any number of threads.
    """
    height, width = body.shape[-2:]
    parts = [PlacedDerivatives(body, 0, 0), *levels]
    for part in parts:
        if part.derivatives.dtype != torch.float32 or not part.derivatives.is_contiguous():
            raise ValueError("derivatives must be contiguous and float32.")
    device, objects = body.device, len(parts)
    table = [[p.derivatives.data_ptr(), p.top, p.left, *p.derivatives.shape[-2:]] for p in parts]
    first, second = np.triu_indices(objects)
    bands = -(-height // ROWS_A_BAND)
    block = kernels.BLOCK_SIZE
    sums = torch.empty(bands, len(first), block + kernels.PARAMETERS, dtype=torch.float64, device=device)
    arguments = [torch.tensor(table, device=device), objects, fit.weights, fit.pulls, height, width, ROWS_A_BAND, sums]
    launch(kernels.normal_equations, bands * len(first), arguments, device)
    total = sums.sum(0).cpu().numpy()
    blocks = total[:, :block].reshape(-1, kernels.PARAMETERS, kernels.PARAMETERS)
    curvature = np.empty((objects, kernels.PARAMETERS, objects, kernels.PARAMETERS))
    curvature[first, :, second, :] = blocks
    curvature[second, :, first, :] = blocks.transpose(0, 2, 1)
    parameters = objects * kernels.PARAMETERS
    return total[first == second, block:].reshape(-1), curvature.reshape(parameters, parameters)
