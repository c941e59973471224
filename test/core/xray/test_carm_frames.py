import numpy as np
import pytest
from numpy.typing import NDArray

from radgs_core.acquisition.tf_tree import TransformTree
from radgs_core.case import Case
from radgs_core.xray.carm import CArm, biplanar_geometry, body_pose
from radgs_core.xray.carm_frames import OpticalFrames, fixed_edges, moving_edges
from radgs_core.xray.carm_joints import JointPositions

CARM = CArm(pixel_mm=0.8, source_to_isocentre_mm=650.0)
PLACES = [
    JointPositions(),
    JointPositions(30.0, -12.0, 40.0, -25.0, 60.0),
    JointPositions(-75.0, 45.0),
    JointPositions(120.0, 20.0, -300.0, 150.0, -200.0),
]


def looked_up(positions: JointPositions, target: str, source: str) -> NDArray[np.float64]:
    """``T_target_source`` through the tree."""
    tree = TransformTree()
    for edge in [*moving_edges(positions), *fixed_edges(CARM, OpticalFrames())]:
        tree.insert_static(edge.parent, edge.child, edge.T_parent_child)
    return tree.lookup(target, source, 0)


@pytest.mark.parametrize("positions", PLACES)
def test_optical_frames_are_where_the_cameras_are(positions: JointPositions) -> None:
    at = positions.orbital_deg, positions.angular_deg
    views = biplanar_geometry(CARM, at, (at[0] + 90.0, at[1])).views
    for frame, view in (("ap_optical", "ap"), ("lateral_optical", "lateral"), ("carm_optical", "ap")):
        T = looked_up(positions, "carm_base", frame)
        np.testing.assert_allclose(T, views[view].T_reference_camera, atol=1e-9)


@pytest.mark.parametrize("positions", PLACES)
def test_seen_from_the_table_the_isocentre_moves_the_other_way(positions: JointPositions) -> None:
    at, isocentre = (positions.orbital_deg, positions.angular_deg), [-x for x in positions.table_mm]
    views = biplanar_geometry(CARM, at, (at[0] + 90.0, at[1]), isocentre, isocentre).views
    for view in ("ap", "lateral"):
        T = looked_up(positions, "table_top", f"{view}_optical")
        np.testing.assert_allclose(T, views[view].T_reference_camera, atol=1e-9)


def test_the_patient_lies_as_the_vertebrae_do(phantom_case: Case) -> None:
    """Axes of the frame patient are those of vertebrae that have not moved."""
    T_base_level = body_pose(phantom_case, ["L1"]) @ phantom_case.levels["L1"].T_ct_vertebra
    np.testing.assert_allclose(looked_up(JointPositions(), "carm_base", "patient"), T_base_level, atol=1e-9)


def test_one_frame_has_one_parent() -> None:
    children = [edge.child for edge in [*moving_edges(JointPositions()), *fixed_edges(CARM, OpticalFrames())]]
    assert len(children) == len(set(children))
