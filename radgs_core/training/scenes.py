"""Training exposures of one patient: the spine bent, the C-arm anywhere, every setting of the system drawn."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from radgs_core.case import Case, Vertebra
from radgs_core.geometry.rigid import rotation_about
from radgs_core.radgs import rasterize
from radgs_core.radgs.gaussians import joined
from radgs_core.training.appearance import exposed
from radgs_core.training.positions import Position
from radgs_core.xray.attenuation import excess_attenuation
from radgs_core.xray.material_volumes import MM_PER_CM
from radgs_core.xray.materials import split
from radgs_core.xray.observation import Observation

COMMON_MM, COMMON_DEG = 2.0, 2.0
OWN_MM, OWN_DEG = 3.0, 3.0
"""Standard deviations, each axis, of how neighbours move alike and each level on its own: more than spines bend."""
HELD_OUT_SHARE = 0.1
"""Of the positions: only validation sees them."""


@dataclass(frozen=True)
class Scene:
    """One biplanar exposure, and what is true.

    Attributes:
        observations: AP and lateral.
        expected_body: the body in the same views, where a detection would have put it.
        T_reference_body: (4, 4) mm.
        T_reference_level: (L, 4, 4) ``T_reference_ct`` of every level, mm.
    """

    observations: Sequence[Observation]
    expected_body: Sequence[Observation]
    T_reference_body: NDArray[np.float64]
    T_reference_level: NDArray[np.float64]


class SceneSampler:
    """Draws scenes of one patient.

    Args:
        case: the patient.
        positions: of C-arm and patient, to choose from.
    """

    def __init__(self, case: Case, positions: Sequence[Position]) -> None:
        self._positions = positions
        vertebrae = list(case.levels.values())
        self._centres_ct_mm = [vertebra.T_ct_vertebra[:3, 3] for vertebra in vertebrae]
        self._gaussians, self._group = joined([vertebra.gaussians for vertebra in vertebrae])
        self._water_per_excess, self._bone_per_excess = _materials_of_excess(vertebrae)

    def scene(self, rng: np.random.Generator) -> Scene:
        """Bend the spine and take both X-rays."""
        position = self._positions[int(rng.integers(len(self._positions)))]
        poses = np.stack([position.T_reference_body @ motion for motion in self._bent(rng)])
        cameras = list(position.geometry.views.values())
        excess = rasterize(self._gaussians, cameras, torch.as_tensor(poses), self._group)
        observations = []
        for view, camera in enumerate(cameras):
            water = position.water[view].float() + self._water_per_excess * excess[view]
            bone = position.bone[view].float() + self._bone_per_excess * excess[view]
            observations.append(Observation(camera, *exposed(water.clamp_min(0), bone.clamp_min(0), rng)))
        everywhere = torch.ones(observations[0].usable.shape)
        expected = [
            Observation(camera, image.float(), everywhere)
            for camera, image in zip(cameras, position.expected_body, strict=True)
        ]
        return Scene(observations, expected, position.T_reference_body, poses)

    def _bent(self, rng: np.random.Generator) -> list[NDArray[np.float64]]:
        """``T_ct_ct`` of every level: a random walk along the spine plus a motion of its own."""
        walk = np.zeros(6)
        scale = np.r_[np.full(3, 1.0), np.full(3, np.pi / 180)]
        motions = []
        for centre in self._centres_ct_mm:
            walk = walk + rng.normal(size=6) * np.r_[np.full(3, COMMON_MM), np.full(3, COMMON_DEG)]
            own = rng.normal(size=6) * np.r_[np.full(3, OWN_MM), np.full(3, OWN_DEG)]
            motions.append(rotation_about(centre, (0.5 * walk + own) * scale))
        return motions


@dataclass(frozen=True)
class PatientScenes:
    """Exposures of one patient, to train on and to validate on: no position is in both.

    Attributes:
        training, validation: draw them.
    """

    training: SceneSampler
    validation: SceneSampler

    @classmethod
    def of(cls, case: Case, positions: Sequence[Position]) -> "PatientScenes":
        """From two positions on; the first ``HELD_OUT_SHARE`` of them are for validation."""
        held_out = max(1, round(HELD_OUT_SHARE * len(positions)))
        return cls(SceneSampler(case, positions[held_out:]), SceneSampler(case, positions[:held_out]))


def _materials_of_excess(vertebrae: Sequence[Vertebra]) -> tuple[float, float]:
    """Areal density of water and bone, g/cm^2, for a line integral of 1 through the excess attenuation of bone.

    Bone displaces soft tissue in nearly the same proportion everywhere; the least-squares fit over all voxels.
    """
    square = water = bone = 0.0
    for vertebra in vertebrae:
        excess = excess_attenuation(vertebra.bone_hu.data, vertebra.fill_hu.data)
        inside, outside = split(vertebra.bone_hu.data), split(vertebra.fill_hu.data)
        square += float((excess**2).sum())
        water += float((excess * (inside.water - outside.water)).sum())
        bone += float((excess * (inside.bone - outside.bone)).sum())
    return water / square / MM_PER_CM, bone / square / MM_PER_CM
