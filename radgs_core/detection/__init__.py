from radgs_core.detection.detections import Detections
from radgs_core.detection.diagnosis import diagnose
from radgs_core.detection.landmarks import LANDMARKS, landmarks_ct_mm
from radgs_core.detection.triangulation import FirstPoses, first_poses

__all__ = ["LANDMARKS", "Detections", "FirstPoses", "diagnose", "first_poses", "landmarks_ct_mm"]
