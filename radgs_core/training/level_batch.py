"""Levels to train on: two crops where a level is expected, and what is true."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from radgs_core.case import Case
from radgs_core.geometry.rigid import inverse, log_se3, rotation_about
from radgs_core.reconstruction.anchors import anchors_of, filled, in_vertebra_frame, stacked
from radgs_core.reconstruction.crops import crop_levels, seen_places
from radgs_core.reconstruction.gaussian_head import GaussianBatch
from radgs_core.reconstruction.places import places_mm
from radgs_core.reconstruction.presets import RecMPreset
from radgs_core.reconstruction.recm import LevelInput
from radgs_core.training.scenes import Scene, SceneSampler

START_MM, START_DEG = 2.5, 3.0
"""Standard deviation, each axis, of how far off a level is expected: what detection leaves."""
FROM_DETECTION, FROM_A_PASS = (0.3, 1.7), (0.05, 0.5)
"""Starts are off by multiples of it in one of these ranges, as often in the one as in the other: what detection gives,
good or bad, and what is left after a first pass."""
EVERY_NTH_POINT = 8
"""Of the surface points, for the error of a pose."""
RENDERED_SHARE = 0.5
"""Of the exposures: of one level of each the reconstruction is rendered and voxelised, which costs more than the
networks."""


@dataclass(frozen=True)
class LevelBatch:
    """B levels, each in the frame of its expected pose.

    Attributes:
        level: what the networks are given.
        vertebra: the CT's Gaussians.
        surface_mm: (B, S, 3) points on the surface.
        places: (B, 2, 27, 2) where the places really are in the crops.
        twist: (B, 6) the true motion, ``T_reference_true = T_reference_expected @ exp_se3(twist)``, mm and rad.
        around: (B, 2, px, px) line integrals of all that is expected in the crops but the level itself.
        seed: (B,) int64, for what a loss draws.
        share: (B,) of the level in its exposure: one over the number of its levels.
        rendered: (B,) how much its reconstruction counts where it has to be rendered: mostly 0, and the sum over the
            levels of an exposure is 1 on average.
    """

    level: LevelInput
    vertebra: GaussianBatch
    surface_mm: torch.Tensor
    places: torch.Tensor
    twist: torch.Tensor
    around: torch.Tensor
    seed: torch.Tensor
    share: torch.Tensor
    rendered: torch.Tensor

    @property
    def exposures(self) -> torch.Tensor:
        """() how many exposures the levels come from."""
        return self.share.sum()

    def mean(self, values: torch.Tensor) -> torch.Tensor:
        """() mean over the exposures of the mean over the levels of each, of values (B,) by level."""
        return (values * self.share).sum() / self.exposures


def joined_levels(batches: Sequence[LevelBatch]) -> LevelBatch:
    """One batch of several, also of several patients: smaller sets of Gaussians are filled with empty ones, and of
    surface points as many are taken as all have."""
    largest = max(batch.vertebra.means_mm.shape[1] for batch in batches)
    points = min(batch.surface_mm.shape[1] for batch in batches)
    joined = _joined(
        [
            replace(
                batch,
                level=replace(batch.level, anchors=filled(batch.level.anchors, largest)),
                vertebra=filled(batch.vertebra, largest),
                surface_mm=batch.surface_mm[:, :points],
            )
            for batch in batches
        ]
    )
    assert isinstance(joined, LevelBatch)
    return joined


def _joined(parts: Sequence[object]) -> object:
    first = parts[0]
    if isinstance(first, torch.Tensor):
        return torch.cat(list(parts))  # type: ignore[arg-type]
    names = [field.name for field in fields(first)]  # type: ignore[arg-type]
    return type(first)(*(_joined([getattr(part, name) for part in parts]) for name in names))


class LevelSource(Protocol):
    """Where levels to train on come from."""

    def drawn(self, rng: np.random.Generator) -> LevelBatch:
        """All levels of one exposure, each expected somewhere near the truth."""


class LevelSampler:
    """Draws levels of one patient with wrong expectations.

    Args:
        case: the patient.
        scenes: of this patient.
        preset: says what crops and anchors there are.
    """

    def __init__(self, case: Case, scenes: SceneSampler, preset: RecMPreset) -> None:
        vertebrae = list(case.levels.values())
        self._scenes, self._crop = scenes, preset.crop
        self._gaussians = [vertebra.gaussians for vertebra in vertebrae]
        self._T_ct_vertebra = np.stack([vertebra.T_ct_vertebra for vertebra in vertebrae])
        self._places_mm = np.stack([places_mm(vertebra) for vertebra in vertebrae])
        self._anchors = anchors_of(vertebrae, preset)
        self._vertebrae = stacked([in_vertebra_frame(vertebra) for vertebra in vertebrae])
        count = min(len(vertebra.surface_points_mm) for vertebra in vertebrae)
        self._surface_mm = torch.stack(
            [
                torch.as_tensor((v.surface_points_mm[:count] - v.T_ct_vertebra[:3, 3]) @ v.T_ct_vertebra[:3, :3])
                for v in vertebrae
            ]
        )[:, ::EVERY_NTH_POINT].float()

    def drawn(self, rng: np.random.Generator) -> LevelBatch:
        """All levels of one exposure, each expected somewhere near the truth."""
        return self.about(self._scenes.scene(rng), rng)

    def about(self, scene: Scene, rng: np.random.Generator) -> LevelBatch:
        """All levels of a given exposure, each expected somewhere near the pose it is given with."""
        return self.expected_at(scene, self._wrong(scene.T_reference_level @ self._T_ct_vertebra, rng), rng)

    def expected_at(
        self, scene: Scene, T_reference_vertebra: NDArray[np.float64], rng: np.random.Generator
    ) -> LevelBatch:
        """All levels of an exposure, expected at given poses (L, 4, 4) of their vertebra frames, mm."""
        crops = crop_levels(
            scene.observations,
            scene.expected_body,
            self._gaussians,
            self._T_ct_vertebra,
            self._places_mm,
            T_reference_vertebra @ inverse(self._T_ct_vertebra),
            self._crop,
        )
        true = scene.T_reference_level @ self._T_ct_vertebra
        twists = np.stack([log_se3(inverse(e) @ t) for e, t in zip(T_reference_vertebra, true, strict=True)])
        return LevelBatch(
            LevelInput.of(crops, self._anchors),
            self._vertebrae,
            self._surface_mm,
            seen_places(crops.cameras, true, self._places_mm),
            torch.as_tensor(twists, dtype=torch.float32),
            crops.around,
            torch.as_tensor(rng.integers(2**62, size=len(true))),
            torch.full((len(true),), 1 / len(true)),
            _rendered(len(true), rng),
        )

    def _wrong(self, true: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
        scale = rng.uniform(*(FROM_DETECTION if rng.random() < 0.5 else FROM_A_PASS))
        off = rng.normal(size=(len(true), 6)) * scale * np.repeat([START_MM, np.radians(START_DEG)], 3)
        off[:, :3] += rng.normal(size=3) * 0.5 * scale * START_MM  # neighbours are off alike
        return true @ np.stack([rotation_about(np.zeros(3), twist) for twist in off])


def _rendered(levels: int, rng: np.random.Generator) -> torch.Tensor:
    """(levels,) see `LevelBatch.rendered`."""
    counts = torch.zeros(levels)
    if rng.random() < RENDERED_SHARE:
        counts[int(rng.integers(levels))] = 1 / RENDERED_SHARE
    return counts
