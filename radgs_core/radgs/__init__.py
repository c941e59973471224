from radgs_core.radgs.fit import fit_gaussians
from radgs_core.radgs.gaussians import RadiativeGaussians
from radgs_core.radgs.pose_derivatives import PoseDerivatives, RigidGroups
from radgs_core.radgs.rasterizer import rasterize

__all__ = ["PoseDerivatives", "RadiativeGaussians", "RigidGroups", "fit_gaussians", "rasterize"]
