"""The body around the levels as it is expected in an X-ray: what the networks are shown beside the image."""

import numpy as np
import torch
from numpy.typing import NDArray

from radgs_core.geometry.camera import XrayCamera
from radgs_core.registration.body import Body
from radgs_core.xray.observation import Observation

PIXEL_MM_AT_METRE = 1.2
VOXEL_MM = 2.0
"""How finely it is rendered; crops show no more."""


def expected_body(body: Body, camera: XrayCamera, T_reference_body: NDArray[np.float64]) -> Observation:
    """Line integrals of the body without the levels, from the source of a camera.

    Args:
        body: of the patient.
        camera: the X-ray's; the rendering has larger pixels.
        T_reference_body: (4, 4) where the body is expected, mm.
    """
    small = camera.resized(max(1, round(PIXEL_MM_AT_METRE / 1000 * camera.camera_matrix[0, 0])))
    volume = body.averaged(VOXEL_MM)
    image = volume.line_integral_with_pose_derivatives(small, T_reference_body, camera.source_mm)[0]
    return Observation(small, image, torch.ones_like(image))
