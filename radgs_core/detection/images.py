"""X-rays as the detection network sees them: one pinhole for every detector."""

from collections.abc import Sequence

import numpy as np
import torch

from radgs_core.geometry.camera import XrayCamera
from radgs_core.xray.normalisation import normalised
from radgs_core.xray.observation import Observation
from radgs_core.xray.reprojection import reproject

SIZE_PX = 128
FOCAL_PX = 425.0
"""2.4 mm pixels at 1020 mm from the source: a detector of 307 mm fills the image."""
WINDOW_PX = 15


def canonical_camera(camera: XrayCamera) -> XrayCamera:
    """The network's view of an X-ray: its source and orientation, the middle of the detector in the image's middle."""
    fx, fy = camera.camera_matrix[0, 0], camera.camera_matrix[1, 1]
    middle = np.array([(camera.width - 1) / 2, (camera.height - 1) / 2])
    offset = (camera.camera_matrix[:2, 2] - middle) / np.array([fx, fy]) * FOCAL_PX
    centre = (SIZE_PX - 1) / 2 + offset
    matrix = np.array([[FOCAL_PX, 0, centre[0]], [0, FOCAL_PX, centre[1]], [0, 0, 1]])
    return XrayCamera(SIZE_PX, SIZE_PX, matrix, camera.T_reference_camera, name=camera.name)


def network_input(observations: Sequence[Observation]) -> torch.Tensor:
    """(V, 3, SIZE_PX, SIZE_PX) float32 of V observations."""
    seen = [reproject(observation, [canonical_camera(observation.camera)]) for observation in observations]
    return normalised(
        torch.cat([view.line_integral for view in seen]), torch.cat([view.usable for view in seen]), WINDOW_PX
    )
