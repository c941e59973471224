"""What the peer renders: the CT, and what each vertebra adds to the body."""

import numpy as np
from scipy import ndimage

from radgs_core.case import Case, Vertebra
from radgs_core.volume import Volume
from radgs_core.xray.attenuation import excess_attenuation, linear_attenuation
from radgs_core.xray.raycast import RayCastVolume
from radgs_core.xray.simulator import continued

BODY_SPACING_MM = 2.0


def attenuation_of(hu: Volume) -> RayCastVolume:
    """Attenuation of a body, 1/mm, averaged to voxels of ``BODY_SPACING_MM`` and continued as in the simulation."""
    whole = continued(hu)
    return RayCastVolume.from_volume(Volume(linear_attenuation(whole.data), whole.T_ct_voxel)).downsampled(
        BODY_SPACING_MM
    )


def excess_of(vertebra: Vertebra) -> RayCastVolume:
    """What the vertebra attenuates more than the tissue that fills its place, within its mask's box."""
    bone, fill = vertebra.bone_hu, vertebra.fill_hu
    box = ndimage.find_objects((bone.data != fill.data).astype(np.uint8))[0]
    T_ct_voxel = bone.T_ct_voxel.copy()
    T_ct_voxel[:3, 3] = bone.points_mm(np.array([axis.start for axis in box]))
    return RayCastVolume.from_volume(Volume(excess_attenuation(bone.data[box], fill.data[box]), T_ct_voxel))


def whole_ct(case: Case) -> Volume:
    """The CT: the body with its vertebrae put back."""
    hu = case.body_hu.data.copy()
    for vertebra in case.levels.values():
        bone, fill = vertebra.bone_hu, vertebra.fill_hu
        first = np.rint(np.linalg.solve(case.body_hu.T_ct_voxel, bone.T_ct_voxel)[:3, 3]).astype(int)
        crop = tuple(slice(start, start + size) for start, size in zip(first, bone.data.shape, strict=True))
        np.copyto(hu[crop], bone.data, where=bone.data != fill.data)
    return Volume(hu, case.body_hu.T_ct_voxel)
