"""Water and bone of an object on voxel grids, ready to be ray cast from anywhere."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

from radgs_core.case import Vertebra
from radgs_core.geometry.camera import XrayCamera
from radgs_core.volume import Volume
from radgs_core.xray.materials import Densities, split
from radgs_core.xray.ray_march import RayMarchVolume
from radgs_core.xray.raycast import RayCastVolume

MM_PER_CM = 10.0


@dataclass(frozen=True)
class MaterialVolumes:
    """Partial densities of an object, g/cm^3. Threads may share them.

    Attributes:
        water, bone: each within the box where it differs from zero.
    """

    water: RayMarchVolume
    bone: RayMarchVolume

    @classmethod
    def of_body(cls, body_hu: Volume) -> "MaterialVolumes":
        """What a body consists of, from its Hounsfield units."""
        water, bone = water_and_bone(body_hu)
        return cls(_trimmed(water, body_hu.T_ct_voxel), _trimmed(bone, body_hu.T_ct_voxel))

    @classmethod
    def of_excess(cls, vertebra: Vertebra) -> "MaterialVolumes":
        """What a vertebra has more of than the soft tissue that fills its place; may be negative."""
        T_ct_voxel = vertebra.bone_hu.T_ct_voxel
        bone, fill = split(vertebra.bone_hu.data.T), split(vertebra.fill_hu.data.T)
        return cls(
            _trimmed(torch.from_numpy(bone.water - fill.water), T_ct_voxel),
            _trimmed(torch.from_numpy(bone.bone - fill.bone), T_ct_voxel),
        )

    def along_rays(self, camera: XrayCamera, T_reference_ct: NDArray[np.float64]) -> Densities:
        """Areal densities, g/cm^2, (height, width).

        Raises:
            InputError: the rays of the view spread too far (see `RayMarchVolume`).
        """
        water, bone = (
            volume.line_integral_with_pose_derivatives(camera, T_reference_ct, camera.source_mm)[0].numpy()
            / np.float32(MM_PER_CM)
            for volume in (self.water, self.bone)
        )
        return Densities(water, bone)


def water_and_bone(body_hu: Volume) -> tuple[torch.Tensor, torch.Tensor]:
    """Partial densities (K, J, I) of a body, g/cm^3, from its Hounsfield units."""
    shape = body_hu.data.shape[::-1]
    water, bone = torch.empty(shape), torch.empty(shape)
    for k in range(shape[0]):  # slice by slice: a whole CT's intermediate arrays would take gigabytes
        densities = split(body_hu.data[:, :, k].T)
        water[k], bone[k] = torch.from_numpy(densities.water), torch.from_numpy(densities.bone)
    return water, bone


def _trimmed(values: torch.Tensor, T_ct_voxel: NDArray[np.float64]) -> RayMarchVolume:
    """The volume without the layers of zeros around it: bone is a small part of a body, and copies of it are kept.

    Args:
        values: (K, J, I).
        T_ct_voxel: (4, 4) affine, voxel indices ``(i, j, k)`` into CT coordinates, mm.
    """
    boxes = ndimage.find_objects((values.numpy() != 0).view(np.uint8))
    box = boxes[0] if boxes else (slice(0, 1),) * 3
    T_ct_first = T_ct_voxel.copy()
    T_ct_first[:3, 3] += T_ct_voxel[:3, :3] @ [axis.start for axis in reversed(box)]
    return RayMarchVolume(RayCastVolume(values[box].contiguous(), T_ct_first))
