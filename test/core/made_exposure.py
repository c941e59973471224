"""The messages of one pair of X-rays, as a recording holds them."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from radgs_core.acquisition.pairing import VIEWS
from radgs_core.geometry.camera import XrayCamera
from radgs_core.messages.cameras import info_from_camera
from radgs_core.messages.headers import header_of
from radgs_core.messages.images import image_from_pixels
from radgs_core.messages.recorded_messages import RecordedMessages

MESSAGES = RecordedMessages()
S = 1_000_000_000
SIZE = 64
MATRIX = np.array([[200.0, 0, 31.5], [0, 200.0, 31.5], [0, 0, 1]])


@dataclass
class Exposure:
    """By view, image and camera_info of one stamp, to be spoiled."""

    images: dict[str, Any] = field(default_factory=dict)
    infos: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def noise(cls, second: int, focal_px: float = 200.0) -> "Exposure":
        """Images of noise in frames that stay the same, taken at a focal length."""
        exposure = cls()
        pixels = np.random.default_rng(second).integers(1, 60000, (SIZE, SIZE)).astype(np.uint16)
        matrix = MATRIX.copy()
        matrix[0, 0] = matrix[1, 1] = focal_px
        for view in VIEWS:
            header = header_of(MESSAGES, second * S, f"{view}_optical")
            exposure.images[view] = image_from_pixels(MESSAGES, pixels, "mono16", header)
            exposure.infos[view] = info_from_camera(MESSAGES, XrayCamera(SIZE, SIZE, matrix, np.eye(4)), header)
        return exposure
