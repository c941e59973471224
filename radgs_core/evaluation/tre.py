"""Target registration error: how far the surface of a vertebra is from where it should be.

After van de Kraats et al., IEEE TMI 24(9), 2005, doi 10.1109/TMI.2005.853240: a mean over target points. Here they are
the case's surface points (1000 a vertebra, CT coordinates).
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from radgs_core.geometry.camera import BiplanarGeometry


def tre_mm(points_mm: NDArray, T_found: NDArray[np.float64], T_true: NDArray[np.float64]) -> float:
    """Mean distance between points as moved by the found and by the true pose.

    Args:
        points_mm: (P, 3), CT coordinates.
        T_found, T_true: (4, 4) ``T_reference_ct``, mm.
    """
    return float(np.linalg.norm(_displacements(points_mm, T_found, T_true), axis=1).mean())


def depth_errors_mm(
    points_mm: NDArray, T_found: NDArray[np.float64], T_true: NDArray[np.float64], geometry: BiplanarGeometry
) -> Mapping[str, float]:
    """Per view, the mean absolute part of these displacements along its depth axis, which a view alone hardly sees.

    The depth axis is the camera's z, from the source towards the detector. Arguments as for ``tre_mm``, poses in the
    geometry's reference frame.
    """
    displacements = _displacements(points_mm, T_found, T_true)
    return {
        view: float(np.abs(displacements @ camera.T_reference_camera[:3, 2]).mean())
        for view, camera in geometry.views.items()
    }


def _displacements(
    points_mm: NDArray, T_found: NDArray[np.float64], T_true: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(P, 3) from where each point should be to where it was found, mm."""
    difference = T_found - T_true
    return np.asarray(points_mm, dtype=np.float64) @ difference[:3, :3].T + difference[:3, 3]
