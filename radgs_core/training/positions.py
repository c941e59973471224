"""Where C-arm and patient may be, and what the body looks like from there: ray cast once, used for many exposures."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from radgs_core.case import Case
from radgs_core.geometry.camera import BiplanarGeometry
from radgs_core.geometry.rigid import rotation_about
from radgs_core.progress import Progress
from radgs_core.xray.attenuation import linear_attenuation
from radgs_core.xray.carm import CArm, biplanar_geometry, body_pose
from radgs_core.xray.material_volumes import MM_PER_CM, water_and_bone
from radgs_core.xray.ray_march import RayMarchVolume
from radgs_core.xray.raycast import RayCastVolume
from radgs_core.xray.simulator import continued

SIZE_PX, PIXEL_MM = 256, 1.2
BODY_VOXEL_MM = 1.4
ANGLE_DEG, PATIENT_DEG, SHIFT_MM = 18.0, 6.0, 36.0
"""Largest tilt of the C-arm in either direction in each view, turn of the patient about any axis, and shift: somewhat
more than the +-15 degrees and +-30 mm that are promised, since a network is at its weakest at the border of what it has
seen."""
EXPECTED_MM, EXPECTED_DEG = 1.5, 1.0
"""Standard deviation, each axis, of where a detection puts the body."""


@dataclass(frozen=True)
class Position:
    """One position of C-arm and patient.

    Attributes:
        geometry: both views, ``SIZE_PX`` pixels along each side.
        T_reference_body: (4, 4) mm.
        water, bone: (2, SIZE_PX, SIZE_PX) float16 areal densities of the body without the prepared vertebrae, g/cm^2.
        expected_body: (2, SIZE_PX, SIZE_PX) float16 line integrals of it, where a detection would have put it.
    """

    geometry: BiplanarGeometry
    T_reference_body: NDArray[np.float64]
    water: torch.Tensor
    bone: torch.Tensor
    expected_body: torch.Tensor


class Positions:
    """Draws positions around a patient.

    Args:
        case: the patient.
    """

    def __init__(self, case: Case) -> None:
        self._case = case
        body = continued(case.body_hu)
        water, bone = water_and_bone(body)
        attenuation = torch.as_tensor(linear_attenuation(body.data)).permute(2, 1, 0)
        self._water, self._bone, self._attenuation = (
            RayMarchVolume(RayCastVolume(values, body.T_ct_voxel).downsampled(BODY_VOXEL_MM))
            for values in (water, bone, attenuation)
        )
        self._centre_ct_mm = np.mean([v.T_ct_vertebra[:3, 3] for v in case.levels.values()], axis=0)

    def drawn(self, rng: np.random.Generator) -> Position:
        """One position, its body ray cast."""
        focus = CArm(
            source_to_detector_mm=rng.uniform(960, 1080),
            source_to_isocentre_mm=rng.uniform(650, 750),
            pixel_mm=PIXEL_MM,
            size=SIZE_PX,
        )
        ap, lateral = rng.uniform(-ANGLE_DEG, ANGLE_DEG, (2, 2))
        shift = rng.uniform(-SHIFT_MM, SHIFT_MM, 3)
        geometry = biplanar_geometry(
            focus, (ap[0], ap[1]), (90 + lateral[0], lateral[1]), shift.tolist(), shift.tolist()
        )
        turn = np.radians(rng.uniform(-PATIENT_DEG, PATIENT_DEG, 3))
        T_reference_body = rotation_about(np.zeros(3), np.r_[0, 0, 0, turn]) @ body_pose(
            self._case, list(self._case.levels)
        )
        return Position(
            geometry,
            T_reference_body,
            self._rendered(self._water, geometry, T_reference_body) / MM_PER_CM,
            self._rendered(self._bone, geometry, T_reference_body) / MM_PER_CM,
            self._rendered(self._attenuation, geometry, self._expected(T_reference_body, rng)),
        )

    def _expected(self, T_reference_body: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
        off = rng.normal(size=6) * np.repeat([EXPECTED_MM, np.radians(EXPECTED_DEG)], 3)
        return T_reference_body @ rotation_about(self._centre_ct_mm, off)

    def _rendered(self, volume: RayMarchVolume, geometry: BiplanarGeometry, pose: NDArray[np.float64]) -> torch.Tensor:
        cameras = geometry.views.values()
        return torch.stack(
            [volume.line_integral_with_pose_derivatives(camera, pose, np.zeros(3))[0] for camera in cameras]
        ).half()


def drawn_positions(case: Case, count: int, seed: int, progress: Progress) -> Sequence[Position]:
    """So many positions around a patient; one seed, one sequence."""
    positions = Positions(case)
    done = 0

    def position(number: int) -> Position:
        nonlocal done
        drawn = positions.drawn(np.random.default_rng([seed, number]))
        done += 1
        progress(done / count, "ray casting the body")
        return drawn

    with ThreadPoolExecutor(2) as threads:
        return list(threads.map(position, range(count)))
