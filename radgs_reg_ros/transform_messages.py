"""Rigid transforms in messages (metres, quaternions) and in the core (4x4 matrices, millimetres)."""

import numpy as np
from geometry_msgs.msg import Point, Pose, Quaternion, Transform, Vector3
from numpy.typing import NDArray
from transforms3d.quaternions import mat2quat, quat2mat

from radgs_core.registration.pipeline import InputError

MM_PER_M = 1000.0
SQUARED_NORM_TOLERANCE = 0.01
"""Largest accepted deviation of a quaternion's squared norm from 1; tf2 refuses transforms beyond the same bound."""


def matrix_from_transform(transform: Transform, name: str) -> NDArray[np.float64]:
    """``T_parent_child`` (4, 4), mm, of a transform message; ``name`` is what an error calls it.

    Raises:
        InputError: a number is not finite, or the quaternion is not normalised.
    """
    return _matrix(transform.translation, transform.rotation, name)


def matrix_from_pose(pose: Pose, name: str) -> NDArray[np.float64]:
    """``T_frame_posed`` (4, 4), mm, of a pose message; ``name`` is what an error calls it.

    Raises:
        InputError: a number is not finite, or the quaternion is not normalised.
    """
    return _matrix(pose.position, pose.orientation, name)


def transform_from_matrix(T_parent_child: NDArray[np.float64]) -> Transform:
    """Transform message of a (4, 4) rigid transform in mm."""
    x, y, z = (T_parent_child[:3, 3] / MM_PER_M).tolist()
    return Transform(translation=Vector3(x=x, y=y, z=z), rotation=_quaternion(T_parent_child))


def pose_from_matrix(T_frame_posed: NDArray[np.float64]) -> Pose:
    """Pose message of a (4, 4) rigid transform in mm."""
    x, y, z = (T_frame_posed[:3, 3] / MM_PER_M).tolist()
    return Pose(position=Point(x=x, y=y, z=z), orientation=_quaternion(T_frame_posed))


def _matrix(translation: Vector3 | Point, rotation: Quaternion, name: str) -> NDArray[np.float64]:
    position = np.array([translation.x, translation.y, translation.z])
    quaternion = np.array([rotation.w, rotation.x, rotation.y, rotation.z])
    if not (np.isfinite(position).all() and np.isfinite(quaternion).all()):
        raise InputError(f"{name} holds NaN or infinite numbers; publish a finite rigid transform.")
    squared_norm = float(quaternion @ quaternion)
    if abs(squared_norm - 1.0) > SQUARED_NORM_TOLERANCE:
        raise InputError(
            f"{name} is not a rigid transform: its quaternion has norm {squared_norm**0.5:.3g}; normalise it to 1."
        )
    matrix = np.eye(4)
    matrix[:3, :3] = quat2mat(quaternion)
    matrix[:3, 3] = position * MM_PER_M
    return matrix


def _quaternion(transform: NDArray[np.float64]) -> Quaternion:
    w, x, y, z = mat2quat(transform[:3, :3]).tolist()  # with w >= 0: the same pose always gives the same bytes
    return Quaternion(x=x, y=y, z=z, w=w)
