"""How strongly, and where to, the X-ray's edges pull at the pose of what is expected: linearised alignment.

Where a vertebra is expected a little wrongly, its edges in the X-ray lie beside the expected ones, and to first order
the difference is a sum of the six derivatives of its rendering; mean and spread of its surroundings, which local
contrast is taken against, are held constant. The normal equations of that least-squares problem
(Lucas and Kanade, IJCAI 1981) are taken in each view at two resolutions. Nothing is learnt here: the networks are given
the equations and judge how far to trust them.
"""

import numpy as np
import torch
from numpy.typing import NDArray

from radgs_core.box_filter import block_mean, box_mean
from radgs_core.gradient_filter import smooth_gradient

PARAMETERS = 6
RESOLUTIONS = 1, 2
"""Crops are used as they are, and with so many pixels along each side averaged into one."""
BLUR_PX = 0.7
"""Of images before gradients are taken, pixels of each resolution."""
WINDOW_PX = 13
"""Width of the windows in which the X-ray's contrast is compared with the expected one, pixels of the crop."""
GAINS = 0.2, 2.0
"""How many times stronger than expected a contrast may be taken for."""
SMALLEST = 1e-4
"""Square of a gradient of local contrast that is nothing."""
PIXELS_SHARE = 0.05
"""What a pixel counts: little, as neighbours err alike. The unit is that of the places' weights in `AttendedMotion`."""


def alignment(
    seen: torch.Tensor,
    expected: torch.Tensor,
    spread: torch.Tensor,
    usable: torch.Tensor,
    derivatives: torch.Tensor,
) -> torch.Tensor:
    """Normal equations of the pose, by image and resolution.

    Args:
        seen: (B, H, W) local contrast of the X-ray (see `local_contrast`).
        expected, spread: (B, H, W) local contrast of all that is expected, and the standard deviation that is its unit.
        usable: (B, H, W) 1 where the X-ray can be used, 0 elsewhere.
        derivatives: (B, 6, H, W) of the expected line integrals by a twist ``(v, omega)`` of the vertebra, per mm and
            per rad.

    Returns:
        (B, R, 6, 7), one of each of R resolutions: the matrix of the normal equations and, as the last column, their
        right side.
    """
    moved = derivatives / spread[:, None] * usable[:, None]
    everything = torch.cat([torch.stack([seen, expected], 1), moved], 1)
    return torch.stack([_equations(everything, usable, factor) for factor in RESOLUTIONS], 1)


def _equations(images: torch.Tensor, usable: torch.Tensor, factor: int) -> torch.Tensor:
    if factor > 1:
        images, usable = (block_mean(each, factor) for each in (images, usable))
    gradients = smooth_gradient(images, BLUR_PX) * usable[:, None, None]
    seen, rendered, moved = gradients[:, 0], gradients[:, 1], gradients[:, 2:]
    width = WINDOW_PX // factor // 2 * 2 + 1

    def mean(values: torch.Tensor) -> torch.Tensor:
        return box_mean(values, width, zeros_beyond=True)

    gain = (mean((seen * rendered).sum(1)) / (mean(rendered.square().sum(1)) + SMALLEST)).clamp(*GAINS)
    left = (seen - gain[:, None] * rendered).flatten(1)
    moved = (moved * gain[:, None, None]).flatten(2)
    weight = PIXELS_SHARE / (left.square().mean(1) + SMALLEST)
    normal = moved @ torch.cat([moved, left[:, None]], 1).mT
    return normal * weight[:, None, None]


def in_vertebra_frame(equations: torch.Tensor, T_reference_vertebra: NDArray[np.float64]) -> torch.Tensor:
    """Normal equations (L, ..., 6, 7) of twists in the reference frame's axes as those of twists in the axes of each
    vertebra's frame; poses (L, 4, 4)."""
    turn = torch.zeros(len(equations), PARAMETERS, PARAMETERS)
    rotation = torch.as_tensor(T_reference_vertebra[:, :3, :3], dtype=torch.float32)
    turn[:, :3, :3] = turn[:, 3:, 3:] = rotation
    while turn.ndim < equations.ndim:
        turn = turn[:, None]
    matrix, right = equations[..., :PARAMETERS], equations[..., PARAMETERS:]
    return torch.cat([turn.mT @ matrix @ turn, turn.mT @ right], -1)
