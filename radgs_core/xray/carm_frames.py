"""The frames of a C-arm, its table and its patient as one tree; the robot model in ``description`` has the same.

::

    carm_base                     at the isocentre; see `radgs_core.xray.carm`
    ├── carm_tilt                 turned by the joint carm_angular
    │   └── carm_arc              turned by carm_orbital
    │       ├── carm_optical      source and detector of the C-arm
    │       ├── ap_optical        the same place: the first view of a biplanar system
    │       └── lateral_optical   its second view, 90 degrees farther along the C
    └── table_rail_x              shifted by table_x
        └── table_rail_y          shifted by table_y
            └── table_top         shifted by table_z
                └── patient       axes of REP-103 on the patient: x anterior, y left, z superior
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radgs_core.geometry.rigid import rotation_about
from radgs_core.xray.carm import REFERENCE, CArm
from radgs_core.xray.carm_joints import JointPositions

CARM_TILT, CARM_ARC = "carm_tilt", "carm_arc"
TABLE_RAIL_X, TABLE_RAIL_Y, TABLE_TOP, PATIENT = "table_rail_x", "table_rail_y", "table_top", "patient"

LATERAL_DEG = 90.0
"""How much farther along the C than the first view the second view of a biplanar system is."""

R_TABLE_PATIENT = np.array([[0.0, 0.0, 1.0], [0.0, -1.0, 0.0], [1.0, 0.0, 0.0]])
"""Axes of a supine patient (x anterior, y left, z superior) into those of table and ``carm_base``."""


@dataclass(frozen=True)
class Edge:
    """One edge of the tree.

    Attributes:
        parent, child: frames.
        T_parent_child: (4, 4), mm.
    """

    parent: str
    child: str
    T_parent_child: NDArray[np.float64]


@dataclass(frozen=True)
class OpticalFrames:
    """What the optical frames are called.

    Attributes:
        carm: of the C-arm where it is.
        ap, lateral: of the views that are exposed at once.
    """

    carm: str = "carm_optical"
    ap: str = "ap_optical"
    lateral: str = "lateral_optical"


def moving_edges(positions: JointPositions, reference: str = REFERENCE) -> list[Edge]:
    """What the joints move."""
    x, y, z = positions.table_mm
    return [
        Edge(reference, CARM_TILT, _turned([0.0, positions.angular_deg, 0.0])),
        Edge(CARM_TILT, CARM_ARC, _turned([-positions.orbital_deg, 0.0, 0.0])),
        Edge(reference, TABLE_RAIL_X, _shifted([x, 0.0, 0.0])),
        Edge(TABLE_RAIL_X, TABLE_RAIL_Y, _shifted([0.0, y, 0.0])),
        Edge(TABLE_RAIL_Y, TABLE_TOP, _shifted([0.0, 0.0, z])),
    ]


def fixed_edges(carm: CArm, names: OpticalFrames) -> list[Edge]:
    """What is mounted on what moves."""
    T_arc_camera = carm.camera().T_reference_camera
    T_arc_lateral = carm.camera(LATERAL_DEG).T_reference_camera
    T_table_patient = np.eye(4)
    T_table_patient[:3, :3] = R_TABLE_PATIENT
    return [
        Edge(CARM_ARC, names.carm, T_arc_camera),
        Edge(CARM_ARC, names.ap, T_arc_camera),
        Edge(CARM_ARC, names.lateral, T_arc_lateral),
        Edge(TABLE_TOP, PATIENT, T_table_patient),
    ]


def _turned(about_deg: list[float]) -> NDArray[np.float64]:
    return rotation_about(np.zeros(3), np.r_[np.zeros(3), np.radians(about_deg)])


def _shifted(by_mm: list[float]) -> NDArray[np.float64]:
    matrix = np.eye(4)
    matrix[:3, 3] = by_mm
    return matrix
