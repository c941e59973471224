"""Keeps transforms that are not rigid out of the tree, and remembers why."""

import numpy as np
from geometry_msgs.msg import TransformStamped
from numpy.typing import NDArray
from rclpy.impl.rcutils_logger import RcutilsLogger

from radgs_core.registration.pipeline import InputError
from radgs_reg_ros.transform_messages import matrix_from_transform


class RigidityCheck:
    """Looks at every transform that comes; tf2 itself would normalise a wrong quaternion without a word."""

    def __init__(self, logger: RcutilsLogger) -> None:
        self._logger = logger
        self._refused: dict[str, str] = {}

    def matrix(self, message: TransformStamped) -> NDArray[np.float64] | None:
        """``T_parent_child`` (4, 4), mm; None when it is refused."""
        child = message.child_frame_id
        try:
            matrix = matrix_from_transform(message.transform, f"the transform {message.header.frame_id} <- {child}")
        except InputError as error:
            self._refused[child] = str(error)
            self._logger.error(str(error), throttle_duration_sec=5.0)
            return None
        self._refused.pop(child, None)
        return matrix

    def explain(self, *frames: str) -> None:
        """Say what is wrong when one of the frames is missing because its last transform was refused.

        Raises:
            InputError: that is so.
        """
        for frame in frames:
            if frame in self._refused:
                raise InputError(self._refused[frame])
