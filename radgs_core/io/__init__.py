from radgs_core.io.atomic import written_atomically
from radgs_core.io.ct import read_ct
from radgs_core.io.example import example_ct
from radgs_core.io.geometry_file import read_geometry, write_geometry
from radgs_core.io.label_schemes import LEVELS
from radgs_core.io.labels import LabelMap, read_labels
from radgs_core.io.poses_file import LevelPose, Poses, read_poses, write_poses
from radgs_core.io.xray_image import read_xray, write_xray

__all__ = [
    "LEVELS",
    "LabelMap",
    "LevelPose",
    "Poses",
    "example_ct",
    "read_ct",
    "read_geometry",
    "read_labels",
    "read_poses",
    "read_xray",
    "write_geometry",
    "write_poses",
    "write_xray",
    "written_atomically",
]
