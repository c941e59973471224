"""A spine of five made-up vertebrae, and what a perfect detector would see of it."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import torch
from numpy.typing import NDArray

from radgs_core.case import Case, Vertebra
from radgs_core.detection import Detections, landmarks_ct_mm
from radgs_core.geometry.camera import VIEW_NAMES, BiplanarGeometry
from radgs_core.geometry.rigid import rotation_about, transform_points
from radgs_core.radgs.gaussians import RadiativeGaussians
from radgs_core.volume import Volume
from radgs_core.xray import CArm, bend, biplanar_geometry, body_pose

LEVELS = ("T8", "T9", "T10", "T11", "T12")
SPACING_MM = 23.0
BODY_MM, SPINOUS_MM, LEFT_MM, RIGHT_MM = (14.0, 0, 0), (-36.0, 0, -20), (-18.0, 27, 9), (-14.0, -30, 8)
"""In the vertebra frame: middle of the vertebral body, and ends of the processes."""

R_CT_VERTEBRA = np.array([[0.0, 1, 0], [-1, 0, 0], [0, 0, 1]])


def surface_mm() -> NDArray[np.float64]:
    """Points (P, 3) on a cylinder and on three bars behind it, vertebra frame; the same for every level."""
    rng = np.random.default_rng(5)
    angle, height = rng.uniform(-np.pi, np.pi, 350), rng.uniform(-11, 11, 350)
    parts = [BODY_MM + np.stack([14 * np.cos(angle), 16 * np.sin(angle), height], -1)]
    radius = np.sqrt(rng.uniform(0, 1, 250))
    angle = rng.uniform(-np.pi, np.pi, 250)
    lid = np.stack([14 * radius * np.cos(angle), 16 * radius * np.sin(angle), np.where(angle > 0, 11.0, -11.0)], -1)
    parts.append(BODY_MM + lid)
    for tip in (SPINOUS_MM, LEFT_MM, RIGHT_MM):
        along = rng.uniform(0, 1, (130, 1))
        parts.append(
            np.array([-6.0, 0, 0]) * (1 - along) + np.array(tip) * along + rng.normal(scale=1.0, size=(130, 3))
        )
    return np.concatenate(parts)


def vertebra(label: str, centre_ct_mm: NDArray[np.float64]) -> Vertebra:
    """One level; of its Gaussians, mesh and voxels detection wants nothing."""
    T_ct_vertebra = np.eye(4)
    T_ct_vertebra[:3, :3], T_ct_vertebra[:3, 3] = R_CT_VERTEBRA, centre_ct_mm
    nothing = Volume(np.zeros((2, 2, 2), np.int16), np.eye(4))
    return Vertebra(
        label,
        T_ct_vertebra,
        RadiativeGaussians(torch.zeros(0, 3), torch.zeros(0, 3), torch.zeros(0, 4), torch.zeros(0)),
        transform_points(T_ct_vertebra, surface_mm()).astype(np.float32),
        np.zeros((0, 3), np.float32),
        np.zeros((0, 3), np.int32),
        nothing,
        nothing,
    )


def made_case(levels: tuple[str, ...] = LEVELS, spacing_mm: float = SPACING_MM) -> Case:
    """Levels below each other on a gentle curve."""
    heights = -spacing_mm * np.arange(len(levels))
    made = {
        label: vertebra(label, np.array([2.0, 80.0 + 0.002 * height**2, height]))
        for label, height in zip(levels, heights, strict=True)
    }
    return Case(MappingProxyType(made), Volume(np.zeros((2, 2, 2), np.int16), np.eye(4)), MappingProxyType({}))


class Scene:
    """A bent spine in an operating room, and what is seen of it.

    Attributes:
        geometry, cameras: a C-arm that is turned and shifted at random.
        truth: (L, 4, 4) ``T_reference_ct`` of the levels, each moved about 3 mm and 3 degrees on its own.
        pixels: (V, L, P, 2) where the landmarks are truly seen.
        rng: for what a test adds.
    """

    def __init__(self, case: Case, seed: int, motion: float = 3.0) -> None:
        self.rng = np.random.default_rng(seed)
        angles, shifts = self.rng.uniform(-12, 12, 4), self.rng.uniform(-20, 20, (2, 3))
        self.geometry: BiplanarGeometry = biplanar_geometry(
            CArm(), (angles[0], angles[1]), (90 + angles[2], angles[3]), shifts[0].tolist(), shifts[1].tolist()
        )
        self.cameras = [self.geometry.views[name] for name in VIEW_NAMES]
        labels = list(case.levels)
        offset = rotation_about(
            np.zeros(3), np.r_[self.rng.normal(scale=8, size=3), self.rng.normal(scale=0.1, size=3)]
        )
        body = offset @ body_pose(case, labels)
        motions: Mapping[str, NDArray[np.float64]] = bend(case, labels, motion, motion, self.rng)
        self.truth = np.stack([body @ motions[label] for label in labels])
        landmarks = [landmarks_ct_mm(one) for one in case.levels.values()]
        placed = np.stack([transform_points(pose, of) for pose, of in zip(self.truth, landmarks, strict=True)])
        self.pixels = np.stack([camera.project(placed) for camera in self.cameras])

    def seen(self, sigma_px: float) -> NDArray[np.float64]:
        """Pixels (V, L, P, 2) with noise."""
        return self.pixels + self.rng.normal(scale=sigma_px, size=self.pixels.shape)


def detections(
    pixels: NDArray[np.float64], sigma_px: float = 1.5, confidence: NDArray[np.float64] | None = None
) -> Detections:
    """Of a detector that trusts itself, unless told otherwise."""
    shape = pixels.shape[:3]
    return Detections(pixels, np.full(shape, sigma_px), np.ones(shape) if confidence is None else confidence)
