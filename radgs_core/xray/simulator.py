"""X-rays of a bent spine: the body at its pose, and every vertebra at its own.

Line integrals add, so an exposure is the body with its vertebrae replaced by soft tissue, plus per level what its bone
adds to that soft tissue, each ray cast where it is.
"""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

from radgs_core.case import Case, Vertebra
from radgs_core.errors import InputError
from radgs_core.geometry.camera import BiplanarGeometry, XrayCamera
from radgs_core.volume import Volume
from radgs_core.xray.materials import Densities, split
from radgs_core.xray.physics import Physics
from radgs_core.xray.raycast import RayCastVolume

CONTINUATION_MM = 80.0
"""How far the body is continued beyond the first and the last slice of the CT, so that no X-ray shows it cut off."""

MM_PER_CM = 10.0


class Simulator:
    """An operating room in which the body lies still, the C-arm stays, and the vertebrae move.

    The body is ray cast once, when the simulator is made; an exposure casts the vertebrae only.

    Args:
        case: the patient.
        geometry: both views.
        T_reference_ct: (4, 4) pose of the body, mm.
    """

    def __init__(self, case: Case, geometry: BiplanarGeometry, T_reference_ct: NDArray[np.float64]) -> None:
        self.geometry = geometry
        self.T_reference_ct = T_reference_ct
        self._excess = {label: _Materials.of_excess(vertebra) for label, vertebra in case.levels.items()}
        body = _Materials.of_body(continued(case.body_hu))
        self._body = {name: body.along_rays(camera, T_reference_ct) for name, camera in geometry.views.items()}

    def densities(self, T_reference_level: Mapping[str, NDArray[np.float64]]) -> Mapping[str, Densities]:
        """Water and bone along every ray, g/cm^2, (height, width) per view. Arguments as for ``expose``."""
        unknown = [level for level in T_reference_level if level not in self._excess]
        if unknown:
            raise InputError(f"{unknown[0]} is not in the case; it holds {', '.join(self._excess)}.")
        result = {}
        for name, camera in self.geometry.views.items():
            water, bone = self._body[name].water.copy(), self._body[name].bone.copy()
            for level, excess in self._excess.items():
                moved = excess.along_rays(camera, T_reference_level.get(level, self.T_reference_ct))
                water += moved.water
                bone += moved.bone
            result[name] = Densities(water, bone)
        return result

    def expose(
        self, T_reference_level: Mapping[str, NDArray[np.float64]], physics: Physics, rng: np.random.Generator
    ) -> dict[str, NDArray[np.float32]]:
        """Take both X-rays.

        Args:
            T_reference_level: (4, 4) per level, mm: where it carries the CT's coordinates; others stay with the body.
            physics: of tube and detector.
            rng: draws the noise.

        Returns:
            Counts of an arbitrary gain per view, (height, width) float32, air bright.

        Raises:
            InputError: a level is not in the case.
        """
        return {name: physics.detect(densities, rng) for name, densities in self.densities(T_reference_level).items()}


def simulate(
    case: Case,
    geometry: BiplanarGeometry,
    T_reference_ct: NDArray[np.float64],
    T_reference_level: Mapping[str, NDArray[np.float64]],
    physics: Physics,
    seed: int,
) -> dict[str, NDArray[np.float32]]:
    """One exposure, with the arguments of ``Simulator`` and ``Simulator.expose``; one seed gives one noise."""
    return Simulator(case, geometry, T_reference_ct).expose(T_reference_level, physics, np.random.default_rng(seed))


def continued(body: Volume, length_mm: float = CONTINUATION_MM) -> Volume:
    """The volume, its end slices repeated ``length_mm`` towards head and foot: a body goes on where its CT stops."""
    axis = int(np.argmax(np.abs(body.T_ct_voxel[2, :3]) / body.spacing_mm))
    count = int(np.ceil(length_mm / body.spacing_mm[axis]))
    widths = [(count, count) if a == axis else (0, 0) for a in range(3)]
    T_ct_voxel = body.T_ct_voxel.copy()
    T_ct_voxel[:3, 3] -= count * T_ct_voxel[:3, axis]
    return Volume(np.pad(body.data, widths, mode="edge"), T_ct_voxel)


class _Materials:
    """Partial densities of an object, g/cm^3, ready to be ray cast."""

    def __init__(self, water: RayCastVolume, bone: RayCastVolume) -> None:
        self._water, self._bone = water, bone

    @classmethod
    def of_body(cls, body_hu: Volume) -> "_Materials":
        shape = body_hu.data.shape[::-1]
        water, bone = torch.empty(shape), torch.empty(shape)
        for k in range(shape[0]):  # slice by slice: a whole CT's intermediate arrays would take gigabytes
            densities = split(body_hu.data[:, :, k].T)
            water[k], bone[k] = torch.from_numpy(densities.water), torch.from_numpy(densities.bone)
        return cls(RayCastVolume(water, body_hu.T_ct_voxel), RayCastVolume(bone, body_hu.T_ct_voxel))

    @classmethod
    def of_excess(cls, vertebra: Vertebra) -> "_Materials":
        box = ndimage.find_objects((vertebra.bone_hu.data != vertebra.fill_hu.data).astype(np.uint8))[0]
        T_ct_voxel = vertebra.bone_hu.T_ct_voxel.copy()
        T_ct_voxel[:3, 3] = vertebra.bone_hu.points_mm(np.array([axis.start for axis in box]))
        bone, fill = split(vertebra.bone_hu.data[box]), split(vertebra.fill_hu.data[box])
        return cls(
            RayCastVolume.from_volume(Volume(bone.water - fill.water, T_ct_voxel)),
            RayCastVolume.from_volume(Volume(bone.bone - fill.bone, T_ct_voxel)),
        )

    def along_rays(self, camera: XrayCamera, T_reference_ct: NDArray[np.float64]) -> Densities:
        """Areal densities, g/cm^2, (height, width)."""
        water, bone = (
            volume.line_integral(camera, T_reference_ct).numpy() / np.float32(MM_PER_CM)
            for volume in (self._water, self._bone)
        )
        return Densities(water, bone)
