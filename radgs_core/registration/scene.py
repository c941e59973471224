"""Where everything is."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from radgs_core.geometry.rigid import exp_se3_about


@dataclass(frozen=True)
class ScenePoses:
    """Poses of the body and of every vertebra, in the reference frame.

    Attributes:
        body: (4, 4) float64 ``T_reference_ct`` of the body.
        levels: (L, 4, 4) float64 ``T_reference_ct`` of each vertebra.
    """

    body: NDArray[np.float64]
    levels: NDArray[np.float64]

    def moved(self, twists: NDArray[np.float64], centres_mm: NDArray[np.float64]) -> "ScenePoses":
        """Poses after twists (1 + L, 6), body first, in the reference frame, each about its centre (1 + L, 3)."""
        moved = exp_se3_about(torch.as_tensor(twists), torch.as_tensor(centres_mm)).numpy() @ np.concatenate(
            [self.body[None], self.levels]
        )
        return ScenePoses(moved[0], moved[1:])
