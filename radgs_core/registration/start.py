"""From the given start poses to a start for everything."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from radgs_core.case import Case
from radgs_core.geometry.rigid import transform_points
from radgs_core.registration.scene import ScenePoses


def start_poses(case: Case, initial: Mapping[str, NDArray[np.float64]]) -> ScenePoses:
    """The body starts at the mean of the given poses, and so does every level that none is given for.

    Args:
        case: the patient.
        initial: at least one ``T_reference_ct`` (4, 4), mm.
    """
    given = np.stack([initial[label] for label in case.levels if label in initial])
    centre = np.mean([case.levels[label].T_ct_vertebra[:3, 3] for label in case.levels if label in initial], axis=0)
    body = np.eye(4)
    body[:3, :3] = Rotation.from_matrix(given[:, :3, :3]).mean().as_matrix()
    # rotations turn about the spine: the mean pose carries its centre to the mean of where the given poses carry it
    target = np.mean([transform_points(pose, centre) for pose in given], axis=0)
    body[:3, 3] = target - body[:3, :3] @ centre
    return ScenePoses(body, np.stack([initial.get(label, body) for label in case.levels]))
