"""A start that is as wrong as the demo wants it."""

from collections.abc import Sequence

import numpy as np
from geometry_msgs.msg import PoseWithCovarianceStamped
from numpy.typing import NDArray

from radgs_core.case import Case
from radgs_core.geometry.rigid import rotation_about
from radgs_reg_ros.transform_messages import pose_from_matrix


def wrong_start(
    case: Case, levels: Sequence[str], T_reference_ct: NDArray[np.float64], shift_mm: float, turn_deg: float, seed: int
) -> NDArray[np.float64]:
    """``T_reference_ct`` (4, 4), mm, shifted and turned about the levels' centroid, in directions from ``seed``."""
    centre = np.mean([case.levels[level].T_ct_vertebra[:3, 3] for level in levels], axis=0)
    directions = np.random.default_rng(seed).normal(size=(2, 3))
    shift, turn = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    return T_reference_ct @ rotation_about(centre, np.r_[shift_mm * shift, np.radians(turn_deg) * turn])


def initialpose(reference: str, T_reference_ct: NDArray[np.float64]) -> PoseWithCovarianceStamped:
    """The message that gives a start to the registration node."""
    message = PoseWithCovarianceStamped()
    message.header.frame_id = reference
    message.pose.pose = pose_from_matrix(T_reference_ct)
    return message
