"""Landmarks of a vertebra: five places on the bone that are the same on every level and do not lie in one plane."""

import numpy as np
from numpy.typing import NDArray

from radgs_core.case import Vertebra
from radgs_core.geometry.rigid import inverse, transform_points

LANDMARKS = ("body", "spinous_process", "left_transverse_process", "right_transverse_process", "centroid")
"""Names, in the order of all arrays with an axis P."""

TIP_SHARE = 0.02
"""Share of the surface that is averaged for a tip: enough that no single point of the mask decides."""
BODY_SHARE = 0.4
"""Share of the surface, from the front, that belongs to the vertebral body alone; its mean lies well inside."""


def landmarks_ct_mm(vertebra: Vertebra) -> NDArray[np.float64]:
    """Where the landmarks of a vertebra are in the CT.

    The body is the mean of the front of the surface, a tip the mean of what reaches farthest back, left or right along
    the axes of the vertebra frame, the centroid that of the mask. On levels without transverse processes worth the name
    the farthest left and right are the sides of the body: places on the bone all the same.

    Returns:
        (P, 3), CT coordinates, mm.
    """
    points = transform_points(inverse(vertebra.T_ct_vertebra), vertebra.surface_points_mm.astype(np.float64))
    x, y, _ = points.T
    landmarks = np.stack(
        [
            _mean_of_largest(x, BODY_SHARE, points),
            _mean_of_largest(-x, TIP_SHARE, points),
            _mean_of_largest(y, TIP_SHARE, points),
            _mean_of_largest(-y, TIP_SHARE, points),
            np.zeros(3),
        ]
    )
    return transform_points(vertebra.T_ct_vertebra, landmarks)


def _mean_of_largest(heights: NDArray[np.float64], share: float, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """(3,) mean of the share of points (N, 3) whose heights (N,) are the largest."""
    count = max(1, round(share * len(points)))
    return points[np.argpartition(heights, -count)[-count:]].mean(0)
