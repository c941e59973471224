from radgs_core.radgs.gaussians import RadiativeGaussians
from radgs_core.radgs.pose_derivatives import PoseDerivatives, RigidGroups
from radgs_core.radgs.rasterizer import rasterize
from radgs_core.radgs.voxel_grid import VoxelGrid
from radgs_core.radgs.voxelizer import voxelize

__all__ = [
    "PoseDerivatives",
    "RadiativeGaussians",
    "RigidGroups",
    "VoxelGrid",
    "rasterize",
    "voxelize",
]
