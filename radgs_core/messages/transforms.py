"""Rigid transforms in messages (metres, quaternions) and in the core (4x4 matrices, millimetres)."""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from transforms3d.quaternions import mat2quat, quat2mat

from radgs_core.errors import InputError
from radgs_core.messages.factory import Message, MessageFactory

MM_PER_M = 1000.0
SQUARED_NORM_TOLERANCE = 0.01
"""Largest accepted deviation of a quaternion's squared norm from 1; tf2 refuses transforms beyond the same bound."""


def matrix_from_transform(transform: Message, name: str) -> NDArray[np.float64]:
    """``T_parent_child`` (4, 4), mm, of a transform message; ``name`` is what an error calls it.

    Raises:
        InputError: a number is not finite, or the quaternion is not normalised.
    """
    return _matrix(transform.translation, transform.rotation, name)


def matrix_from_pose(pose: Message, name: str) -> NDArray[np.float64]:
    """``T_frame_posed`` (4, 4), mm, of a pose message; ``name`` is what an error calls it.

    Raises:
        InputError: a number is not finite, or the quaternion is not normalised.
    """
    return _matrix(pose.position, pose.orientation, name)


def transform_from_matrix(factory: MessageFactory, T_parent_child: NDArray[np.float64]) -> Message:
    """Transform message of a (4, 4) rigid transform in mm."""
    translation = factory.make("geometry_msgs/msg/Vector3", **_position_m(T_parent_child))
    rotation = _quaternion(factory, T_parent_child)
    return factory.make("geometry_msgs/msg/Transform", translation=translation, rotation=rotation)


def pose_from_matrix(factory: MessageFactory, T_frame_posed: NDArray[np.float64]) -> Message:
    """Pose message of a (4, 4) rigid transform in mm."""
    position = factory.make("geometry_msgs/msg/Point", **_position_m(T_frame_posed))
    return factory.make("geometry_msgs/msg/Pose", position=position, orientation=_quaternion(factory, T_frame_posed))


def no_pose(factory: MessageFactory) -> Message:
    """Pose message of what is nowhere: NaN in all seven numbers, so that nobody takes it for a place."""
    position = factory.make("geometry_msgs/msg/Point", **dict.fromkeys("xyz", math.nan))
    orientation = factory.make("geometry_msgs/msg/Quaternion", **dict.fromkeys("xyzw", math.nan))
    return factory.make("geometry_msgs/msg/Pose", position=position, orientation=orientation)


def transform_stamped(
    factory: MessageFactory, header: Message, child: str, T_parent_child: NDArray[np.float64]
) -> Message:
    """TransformStamped: one edge of the tree; (4, 4), mm."""
    transform = transform_from_matrix(factory, T_parent_child)
    return factory.make("geometry_msgs/msg/TransformStamped", header=header, child_frame_id=child, transform=transform)


def tf_message(factory: MessageFactory, header: Message, T_parent_child: Mapping[str, NDArray[np.float64]]) -> Message:
    """TFMessage: frames by name at a stamp, as children of ``header.frame_id``; (4, 4), mm."""
    transforms = [transform_stamped(factory, header, child, matrix) for child, matrix in T_parent_child.items()]
    return factory.make("tf2_msgs/msg/TFMessage", transforms=transforms)


def _matrix(translation: Message, rotation: Message, name: str) -> NDArray[np.float64]:
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


def _position_m(transform: NDArray[np.float64]) -> dict[str, float]:
    return dict(zip("xyz", (transform[:3, 3] / MM_PER_M).tolist(), strict=True))


def _quaternion(factory: MessageFactory, transform: NDArray[np.float64]) -> Message:
    w, x, y, z = mat2quat(transform[:3, :3]).tolist()  # with w >= 0: the same pose always gives the same bytes
    return factory.make("geometry_msgs/msg/Quaternion", x=x, y=y, z=z, w=w)
