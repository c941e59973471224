"""Pinhole X-ray cameras.

Convention: the X-ray source is the pinhole. The camera frame is optical: x right, y down, z from the source towards
the detector. Pixel centres lie at integer coordinates (OpenCV, ROS). Lengths are millimetres.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from radgs_core.errors import InputError
from radgs_core.geometry.rigid import checked_rigid, inverse, transform_points

Intensity = Literal["transmission", "attenuation"]
VIEW_NAMES = ("ap", "lateral")


@dataclass(frozen=True)
class XrayCamera:
    """Where one X-ray image was taken from, and what its pixel values mean.

    Attributes:
        width, height: image size in pixels.
        camera_matrix: (3, 3) float64, pixels.
        T_reference_camera: (4, 4) float64, mm: camera (optical) frame into the reference frame.
        intensity: ``transmission`` (counts, air bright, unknown scale) or ``attenuation`` (line integral, bone bright).
        name: what the user calls this view, with its file or topic; used in error messages.

    Raises:
        InputError: an invalid size, matrix, transform or intensity.
    """

    width: int
    height: int
    camera_matrix: NDArray[np.float64]
    T_reference_camera: NDArray[np.float64]
    intensity: Intensity = "transmission"
    name: str = "camera"

    def __post_init__(self) -> None:
        for key in ("width", "height"):
            value = getattr(self, key)
            if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 8:
                raise InputError(f"{self.name}: {key} must be a whole number of at least 8 pixels, but is {value!r}.")
        try:
            matrix = np.array(self.camera_matrix, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise InputError(f"{self.name}: camera_matrix must be 3x3 numbers.") from error
        if matrix.shape != (3, 3) or not np.isfinite(matrix).all():
            raise InputError(f"{self.name}: camera_matrix must be 3x3 finite numbers.")
        if not np.array_equal(matrix[2], [0, 0, 1]) or matrix[1, 0] != 0 or matrix[0, 0] <= 0 or matrix[1, 1] <= 0:
            raise InputError(
                f"{self.name}: camera_matrix is singular or not a pinhole's; it must read"
                " [[fx, s, cx], [0, fy, cy], [0, 0, 1]] with positive fx and fy in pixels."
            )
        matrix.flags.writeable = False
        object.__setattr__(self, "camera_matrix", matrix)
        object.__setattr__(
            self, "T_reference_camera", checked_rigid(self.T_reference_camera, f"{self.name}: T_reference_camera")
        )
        if self.intensity not in ("transmission", "attenuation"):
            raise InputError(
                f"{self.name}: intensity must be 'transmission' or 'attenuation', but is {self.intensity!r}."
            )

    @property
    def source_mm(self) -> NDArray[np.float64]:
        """(3,) position of the X-ray source in the reference frame, mm."""
        return self.T_reference_camera[:3, 3]

    @property
    def T_camera_reference(self) -> NDArray[np.float64]:
        """(4, 4) reference frame into the camera frame, mm."""
        return inverse(self.T_reference_camera)

    def project(self, points_mm: NDArray) -> NDArray[np.float64]:
        """Project points (..., 3) of the reference frame, mm, to pixel coordinates (..., 2) as (column, row)."""
        p = transform_points(self.T_camera_reference, np.asarray(points_mm, dtype=np.float64))
        p = p @ self.camera_matrix.T
        return p[..., :2] / p[..., 2:]

    def resized(self, factor: int) -> "XrayCamera":
        """The same view with ``factor`` x ``factor`` pixels averaged into one; remainders right and below are cut."""
        matrix = self.camera_matrix.copy()
        matrix[:2] /= factor
        # pixel i of the small image covers pixels factor*i .. factor*i + factor - 1, whose centre is their mean
        matrix[:2, 2] -= (factor - 1) / (2 * factor)
        return XrayCamera(
            self.width // factor, self.height // factor, matrix, self.T_reference_camera, self.intensity, self.name
        )


@dataclass(frozen=True)
class BiplanarGeometry:
    """Both views of one acquisition.

    Attributes:
        reference: name of the frame that poses are expressed in.
        views: ``ap`` and ``lateral``.

    Raises:
        InputError: a view is missing or unknown, or the two views look along (nearly) the same direction.
    """

    reference: str
    views: Mapping[str, XrayCamera]

    def __post_init__(self) -> None:
        if set(self.views) != set(VIEW_NAMES):
            raise InputError(
                f"the geometry must have the views ap and lateral, but has {', '.join(self.views) or 'none'}."
            )
        ap, lateral = (self.views[name].T_reference_camera[:3, 2] for name in VIEW_NAMES)
        angle = np.degrees(np.arccos(np.clip(abs(ap @ lateral), 0, 1)))
        if angle < 20:
            raise InputError(
                f"the views ap and lateral look only {angle:.0f} degrees apart, which hides depth; take them at least"
                " 20 degrees apart."
            )
