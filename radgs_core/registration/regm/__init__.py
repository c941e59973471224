from radgs_core.registration.regm.images import ImageRegM
from radgs_core.registration.regm.motion import Motion, rigid_fit
from radgs_core.registration.regm.points import PointRegM
from radgs_core.registration.regm.presets import PRESETS, RegMPreset
from radgs_core.registration.regm.voxels import VoxelRegM

__all__ = ["PRESETS", "ImageRegM", "Motion", "PointRegM", "RegMPreset", "VoxelRegM", "rigid_fit"]
