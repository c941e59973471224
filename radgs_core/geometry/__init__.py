from radgs_core.geometry.camera import VIEW_NAMES, BiplanarGeometry, XrayCamera
from radgs_core.geometry.rigid import (
    checked_rigid,
    exp_se3,
    exp_se3_about,
    inverse,
    log_se3,
    rotation_about,
    rotation_angle_deg,
    transform_points,
)

__all__ = [
    "VIEW_NAMES",
    "BiplanarGeometry",
    "XrayCamera",
    "checked_rigid",
    "exp_se3",
    "exp_se3_about",
    "inverse",
    "log_se3",
    "rotation_about",
    "rotation_angle_deg",
    "transform_points",
]
