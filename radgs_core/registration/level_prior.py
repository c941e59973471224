"""What is known of the levels' poses before renderings are compared with the X-rays: where RecM and RegM see them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from radgs_core.geometry.rigid import transform_points
from radgs_core.registration.scene import ScenePoses

WEIGHT_PER_MM2 = 1e-4
"""Of a squared displacement, against half the squared local correlation of the images."""
ARM_MM = 30.0
"""Turns radians into millimetres of displacement."""


@dataclass(frozen=True)
class PriorEvaluation:
    """Logarithm of the prior, to be maximised, and its quadratic model, by the twists of the body and the levels.

    Attributes:
        score: 0 at the expected poses, negative elsewhere.
        gradient: (6 + 6 L,) by millimetres and radians, each level turning about its centroid where it is now. In a
            stage it turns about where its centroid was at the beginning; the difference is left out.
        curvature: (6 + 6 L, 6 + 6 L) of the negative score.
    """

    score: float
    gradient: NDArray[np.float64]
    curvature: NDArray[np.float64]


@dataclass(frozen=True)
class LevelPrior:
    """Levels are normally distributed about expected poses, all alike; of the body nothing is known.

    Where the images determine a level well, they outvote it; where they hardly do, the level stays near where the
    networks see it. The form is that of a maximum a posteriori estimate; the weight was tuned on studies of T5 to T8.

    Attributes:
        T_reference_ct: (L, 4, 4) expected poses, mm.
        centres_ct_mm: (L, 3) centroid of each vertebra, CT frame.
    """

    T_reference_ct: NDArray[np.float64]
    centres_ct_mm: NDArray[np.float64]

    def evaluate(self, poses: ScenePoses) -> PriorEvaluation:
        """The prior of some poses."""
        gradient, curvature = np.zeros(6), np.zeros(6)  # of the body
        weight = WEIGHT_PER_MM2 * np.r_[np.ones(3), np.full(3, ARM_MM**2)]
        score = 0.0
        for pose, expected, centre in zip(poses.levels, self.T_reference_ct, self.centres_ct_mm, strict=True):
            shift = transform_points(pose, centre) - transform_points(expected, centre)
            turn = Rotation.from_matrix(pose[:3, :3] @ expected[:3, :3].T).as_rotvec()
            off = np.r_[shift, turn]
            score -= 0.5 * float(weight @ off**2)
            gradient, curvature = np.r_[gradient, -weight * off], np.r_[curvature, weight]
        return PriorEvaluation(score, gradient, np.diag(curvature))
