"""The rendered scene: the body and every vertebra at poses of their own, with derivatives by all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from radgs_core.case import Case
from radgs_core.geometry.camera import XrayCamera
from radgs_core.geometry.rigid import exp_se3
from radgs_core.radgs.gaussians import RadiativeGaussians
from radgs_core.radgs.pose_derivatives import PoseDerivatives, rasterize_with_pose_derivatives
from radgs_core.xray.raycast import RayCastVolume

TRANSLATION_STEP_MM = 0.5
ROTATION_STEP_RAD = 0.005
"""Finite-difference steps of the body's derivatives: a fraction of the blur that the images are compared at."""


@dataclass(frozen=True)
class Poses:
    """Where everything is, in the reference frame.

    Attributes:
        body: (4, 4) float64 ``T_reference_ct`` of the body.
        levels: (L, 4, 4) float64 ``T_reference_ct`` of each vertebra.
    """

    body: NDArray[np.float64]
    levels: NDArray[np.float64]

    def moved(self, twists: NDArray[np.float64], centres_mm: NDArray[np.float64]) -> "Poses":
        """Poses after twists (1 + L, 6), body first, each about its centre (1 + L, 3), from the left in the reference frame."""
        offsets = exp_se3(torch.as_tensor(twists)).numpy()
        rotations = offsets[:, :3, :3]
        offsets[:, :3, 3] += centres_mm - np.einsum("nij,nj->ni", rotations, centres_mm)
        moved = offsets @ np.concatenate([self.body[None], self.levels])
        return Poses(moved[0], moved[1:])


@dataclass
class BodyImage:
    """Line integrals of the body in one view, linearised about the pose where they were rendered.

    Ray casting the body costs as much as all vertebrae together, so it is repeated only after a motion that the
    linearisation does not cover.
    """

    volume: RayCastVolume
    camera: XrayCamera
    step_mm: float
    _pose: NDArray[np.float64] | None = field(default=None, init=False)
    _derivative_pose: NDArray[np.float64] | None = field(default=None, init=False)
    _image: torch.Tensor = field(default_factory=lambda: torch.empty(0), init=False)
    _derivatives: torch.Tensor = field(default_factory=lambda: torch.empty(0), init=False)
    _centre: NDArray[np.float64] | None = field(default=None, init=False)

    def rendered(
        self, T_reference_ct: NDArray[np.float64], centre_mm: NDArray[np.float64]
    ) -> torch.Tensor:
        """(7, H, W): the image and its derivatives by a twist about ``centre_mm``."""
        if (
            self._derivative_pose is None
            or not np.array_equal(self._centre, centre_mm)
            or _motion_mm(self._derivative_pose, T_reference_ct, centre_mm) > 3.0
        ):
            base = self.volume.line_integral(self.camera, T_reference_ct, self.step_mm)
            steps = np.diag([TRANSLATION_STEP_MM] * 3 + [ROTATION_STEP_RAD] * 3)
            here = Poses(T_reference_ct, np.repeat(T_reference_ct[None], 6, 0))
            twists = np.concatenate([np.zeros((1, 6)), steps])
            stepped = here.moved(twists, np.repeat(centre_mm[None], 7, 0)).levels
            images = torch.stack([self.volume.line_integral(self.camera, pose, self.step_mm) for pose in stepped])
            sizes = torch.as_tensor(steps.diagonal().copy(), dtype=base.dtype)
            self._derivatives = (images - base) / sizes[:, None, None]
            self._image, self._pose = base, T_reference_ct
            self._derivative_pose, self._centre = T_reference_ct, centre_mm
        elif self._pose is None or not np.array_equal(self._pose, T_reference_ct):
            self._image, self._pose = self.volume.line_integral(self.camera, T_reference_ct, self.step_mm), T_reference_ct
        return torch.cat([self._image[None], self._derivatives])


def _motion_mm(a: NDArray[np.float64], b: NDArray[np.float64], centre_mm: NDArray[np.float64]) -> float:
    """Largest displacement between two poses over points 60 mm around ``centre_mm``."""
    local = np.linalg.solve(a, np.r_[centre_mm, 1.0])[:3]
    points = local + 60.0 * np.concatenate([np.eye(3), -np.eye(3)])
    return float(np.linalg.norm(points @ (a - b)[:3, :3].T + (a - b)[:3, 3], axis=1).max())
