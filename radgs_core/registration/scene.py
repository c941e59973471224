"""Where everything is, and the image of the body."""

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from radgs_core.geometry.camera import XrayCamera
from radgs_core.geometry.rigid import exp_se3_about, inverse, log_se3
from radgs_core.xray.raycast import RayCastVolume

TRANSLATION_STEP_MM = 0.5
ROTATION_STEP_RAD = 0.005
"""Finite-difference steps of the body's derivatives: a fraction of the blur that the images are compared at."""
LINEAR_WITHIN_MM = 0.7
"""So far the linearised image of the body serves; then it is ray cast anew."""
ARM_MM = 60.0
"""Half the length of the imaged spine: how far out a rotation is felt."""


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


@dataclass(frozen=True)
class _Linearisation:
    """The body's image near a pose: (H, W), and (6, H, W) derivatives by a twist about ``centre_mm``."""

    T_reference_ct: NDArray[np.float64]
    centre_mm: NDArray[np.float64]
    image: torch.Tensor
    derivatives: torch.Tensor


@dataclass
class BodyImage:
    """Line integrals of the body in one view, ray cast when it has moved and linearised in between.

    Attributes:
        volume: attenuation of the body, 1/mm.
        camera: the view.
        step_mm: of the ray casting.
    """

    volume: RayCastVolume
    camera: XrayCamera
    step_mm: float
    _linearisation: _Linearisation | None = field(default=None, init=False)

    def at(
        self, T_reference_ct: NDArray[np.float64], centre_mm: NDArray[np.float64]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Image (H, W) at a pose; derivatives (6, H, W) by a twist about ``centre_mm``, per mm and rad."""
        near = self._linearisation
        if near is not None and np.array_equal(near.centre_mm, centre_mm):
            twist = _twist_between(near.T_reference_ct, T_reference_ct, centre_mm)
            if np.linalg.norm(twist[:3]) + ARM_MM * np.linalg.norm(twist[3:]) < LINEAR_WITHIN_MM:
                change = torch.einsum("k,khw->hw", torch.as_tensor(twist, dtype=near.image.dtype), near.derivatives)
                return near.image + change, near.derivatives
        self._linearisation = near = self._linearised(T_reference_ct, centre_mm)
        return near.image, near.derivatives

    def _linearised(self, T_reference_ct: NDArray[np.float64], centre_mm: NDArray[np.float64]) -> _Linearisation:
        steps = np.array([TRANSLATION_STEP_MM] * 3 + [ROTATION_STEP_RAD] * 3)
        stepped = exp_se3_about(torch.as_tensor(np.diag(steps)), torch.as_tensor(centre_mm)).numpy() @ T_reference_ct
        image = self.volume.line_integral(self.camera, T_reference_ct, self.step_mm)
        moved = torch.stack([self.volume.line_integral(self.camera, pose, self.step_mm) for pose in stepped])
        derivatives = (moved - image) / torch.as_tensor(steps, dtype=image.dtype)[:, None, None]
        return _Linearisation(T_reference_ct, centre_mm, image, derivatives)


def _twist_between(
    start: NDArray[np.float64], end: NDArray[np.float64], centre_mm: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(6,) twist about ``centre_mm`` that moves one pose to another."""
    motion = end @ inverse(start)
    motion[:3, 3] += motion[:3, :3] @ centre_mm - centre_mm
    return log_se3(motion)
