"""A C-arm: where its source and detector are for the angles it is turned to.

Frame ``carm_base``: origin at the isocentre, z up to the ceiling, x to the head and y to the right of a patient who
lies supine along the table; mm. At zero angles the source is above the patient (AP). In every view the head is up.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radgs_core.case import Case
from radgs_core.errors import InputError
from radgs_core.geometry.camera import BiplanarGeometry, XrayCamera

REFERENCE = "carm_base"

R_CARM_CT = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
"""CT axes (LPS) of a supine patient into carm_base: x superior, y right, z anterior."""

R_CARM_AP = np.array([[0.0, -1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, -1.0]])
"""Camera axes at zero angles into carm_base: columns to the patient's left, down the patient's body, downwards."""


@dataclass(frozen=True)
class CArm:
    """Dimensions of a C-arm with a flat detector.

    Attributes:
        source_to_detector_mm: along the central ray.
        source_to_isocentre_mm: along the central ray.
        pixel_mm: edge of a pixel.
        size: pixels along each side of the square image.
    """

    source_to_detector_mm: float = 1020.0
    source_to_isocentre_mm: float = 700.0
    pixel_mm: float = 0.6
    size: int = 512

    def __post_init__(self) -> None:
        if not 0 < self.source_to_isocentre_mm < self.source_to_detector_mm or self.pixel_mm <= 0:
            raise InputError(
                "the C-arm's isocentre must lie between source and detector, and its pixels must have a positive size;"
                f" got {self.source_to_isocentre_mm:g} of {self.source_to_detector_mm:g} mm and {self.pixel_mm:g} mm."
            )

    def camera(
        self,
        orbital_deg: float = 0.0,
        angular_deg: float = 0.0,
        isocentre_mm: Sequence[float] = (0.0, 0.0, 0.0),
        name: str = "camera",
    ) -> XrayCamera:
        """The view for one position of the C-arm.

        Args:
            orbital_deg: rotation along the C, about the patient's long axis; positive takes the source from above to
                the patient's right, so 90 is a lateral view with anterior on the image's right.
            angular_deg: tilt of the whole C about the horizontal y axis; positive takes the source of the AP view
                towards the head.
            isocentre_mm: where the isocentre is, in ``carm_base``: the C-arm or the table was shifted.
            name: for error messages.
        """
        rotation = _rotation_y(np.radians(angular_deg)) @ _rotation_x(-np.radians(orbital_deg)) @ R_CARM_AP
        T_carm_camera = np.eye(4)
        T_carm_camera[:3, :3] = rotation
        T_carm_camera[:3, 3] = np.asarray(isocentre_mm) - self.source_to_isocentre_mm * rotation[:, 2]
        focal = self.source_to_detector_mm / self.pixel_mm
        centre = (self.size - 1) / 2
        matrix = np.array([[focal, 0, centre], [0, focal, centre], [0, 0, 1]])
        return XrayCamera(self.size, self.size, matrix, T_carm_camera, name=name)


def biplanar_geometry(
    carm: CArm,
    ap_deg: tuple[float, float] = (0.0, 0.0),
    lateral_deg: tuple[float, float] = (90.0, 0.0),
    ap_isocentre_mm: Sequence[float] = (0.0, 0.0, 0.0),
    lateral_isocentre_mm: Sequence[float] = (0.0, 0.0, 0.0),
) -> BiplanarGeometry:
    """AP and lateral view of one C-arm, each at its (orbital, angular) angles in degrees and its isocentre."""
    return BiplanarGeometry(
        REFERENCE,
        {
            "ap": carm.camera(*ap_deg, ap_isocentre_mm, name="ap"),
            "lateral": carm.camera(*lateral_deg, lateral_isocentre_mm, name="lateral"),
        },
    )


def body_pose(case: Case, levels: Sequence[str]) -> NDArray[np.float64]:
    """``T_reference_ct`` (4, 4) of a supine patient whose chosen levels are centred on the isocentre."""
    T_carm_ct = np.eye(4)
    T_carm_ct[:3, :3] = R_CARM_CT
    centre = np.mean([case.levels[level].T_ct_vertebra[:3, 3] for level in levels], axis=0)
    T_carm_ct[:3, 3] = -R_CARM_CT @ centre
    return T_carm_ct


def _rotation_x(angle: float) -> NDArray[np.float64]:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[1, 0, 0], [0, c, -s], [0, s, c]])


def _rotation_y(angle: float) -> NDArray[np.float64]:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
