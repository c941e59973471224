"""What trainings of RecM and RegM need, small: few positions of a small phantom, networks of a few channels."""

from collections.abc import Sequence

import numpy as np
import torch

from radgs_core.case import Case
from radgs_core.networks import LevelNetworks
from radgs_core.reconstruction import CropSize, RecMPreset
from radgs_core.registration.regm import RegMPreset
from radgs_core.training.level_batch import LevelSampler
from radgs_core.training.positions import Position, drawn_positions
from radgs_core.training.scenes import SceneSampler

SMALL = RecMPreset(CropSize(32, 96.0), "ct", gaussians=1, channels=8, blocks=1, code=8, hidden=8)
"""``gaussians`` is that of a grid only."""
SMALL_REGM = RegMPreset("points", width=8)


def silent(fraction: float, message: str) -> None:
    """Progress that nobody watches."""


def positions_of(case: Case) -> Sequence[Position]:
    """Two of them."""
    return drawn_positions(case, 2, 5, silent)


def networks(recm: RecMPreset = SMALL, regm: RegMPreset = SMALL_REGM) -> LevelNetworks:
    """With random numbers in every parameter: many begin as zeros, which stop gradients."""
    torch.manual_seed(0)
    made = LevelNetworks.new(recm, regm)
    with torch.no_grad():
        for module in (made.recm, made.regm):
            for parameter in module.parameters():
                parameter.add_(0.02 * torch.randn_like(parameter))
    return made


def sampler_of(case: Case, positions: Sequence[Position], recm: RecMPreset = SMALL) -> LevelSampler:
    """Draws levels."""
    return LevelSampler(case, SceneSampler(case, positions), recm)


def generator(seed: int = 0) -> np.random.Generator:
    """Of a sample."""
    return np.random.default_rng([3, seed])
