from radgs_core.xray.carm import CArm, biplanar_geometry, body_pose
from radgs_core.xray.motion import bend
from radgs_core.xray.physics import Physics
from radgs_core.xray.simulator import Simulator, simulate
from radgs_core.xray.study import Study, read_study, simulate_study, take_study, write_study

__all__ = [
    "CArm",
    "Physics",
    "Simulator",
    "Study",
    "bend",
    "biplanar_geometry",
    "body_pose",
    "read_study",
    "simulate",
    "simulate_study",
    "take_study",
    "write_study",
]
