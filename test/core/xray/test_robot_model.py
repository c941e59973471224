"""URDF and SDF have the frames and joints of the simulated C-arm, and move as it does."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
import yaml
from robot_models import SDF, URDF, RobotModel, read_sdf, read_urdf, sdf_model

from radgs_core.xray.carm import CArm, biplanar_geometry
from radgs_core.xray.carm_frames import OpticalFrames, fixed_edges, moving_edges
from radgs_core.xray.carm_joints import JOINTS, JointPositions, joint_values

EDGES = [*moving_edges(JointPositions()), *fixed_edges(CArm(), OpticalFrames())]
MODELS = pytest.mark.parametrize("model", [read_urdf(), read_sdf()], ids=["urdf", "sdf"])
PLACES = [
    JointPositions(),
    JointPositions(30.0, -12.0, 40.0, -25.0, 60.0),
    JointPositions(-75.0, 45.0, 0.0, 0.0, 200.0),
    JointPositions(120.0, 20.0, -300.0, 150.0, -200.0),
]


@MODELS
def test_frames_hang_where_the_simulators_do(model: RobotModel) -> None:
    mounts = {child: mount.parent for child, mount in model.mounts.items() if mount.parent != "world"}
    assert mounts == {edge.child: edge.parent for edge in EDGES}


@MODELS
@pytest.mark.parametrize("positions", PLACES)
def test_every_frame_is_where_the_simulator_has_it(model: RobotModel, positions: JointPositions) -> None:
    for edge in [*moving_edges(positions), *fixed_edges(CArm(), OpticalFrames())]:
        T = model.placed(edge.parent, edge.child, joint_values(positions))
        np.testing.assert_allclose(T[:3, :3], edge.T_parent_child[:3, :3], atol=1e-9)
        np.testing.assert_allclose(1000 * T[:3, 3], edge.T_parent_child[:3, 3], atol=1e-6)


@MODELS
@pytest.mark.parametrize("positions", PLACES)
def test_optical_frames_are_the_cameras_of_both_views(model: RobotModel, positions: JointPositions) -> None:
    at, table = (positions.orbital_deg, positions.angular_deg), np.array(positions.table_mm)
    values = joint_values(positions)
    for root, isocentre in (("carm_base", np.zeros(3)), ("table_top", -table)):
        views = biplanar_geometry(CArm(), at, (at[0] + 90.0, at[1]), isocentre, isocentre).views
        for view, camera in views.items():
            T = model.placed("carm_base", f"{view}_optical", values)
            if root == "table_top":
                T = np.linalg.inv(model.placed("carm_base", root, values)) @ T
            np.testing.assert_allclose(T[:3, :3], camera.T_reference_camera[:3, :3], atol=1e-9)
            np.testing.assert_allclose(1000 * T[:3, 3], camera.T_reference_camera[:3, 3], atol=1e-6)


@MODELS
def test_joints_are_the_simulators_and_go_as_far(model: RobotModel) -> None:
    moving = {mount.joint: mount for mount in model.mounts.values() if mount.kind != "fixed"}
    assert set(moving) == set(JOINTS)
    for name, joint in JOINTS.items():
        assert moving[name].kind == ("revolute" if joint.turns else "prismatic")
        assert moving[name].span == pytest.approx((joint.low * joint.unit, joint.high * joint.unit), abs=1e-12)


def test_the_detector_is_where_the_rays_end() -> None:
    """Its face, in both models."""
    carm = CArm()
    face_m = (carm.source_to_isocentre_mm - carm.source_to_detector_mm) / 1000
    (visual,) = ElementTree.parse(URDF).getroot().findall("link[@name='carm_arc']/visual[@name='detector']")
    centre = float(visual.find("origin").get("xyz").split()[2])  # type: ignore[union-attr]
    height = float(visual.find("geometry/box").get("size").split()[2])  # type: ignore[union-attr]
    assert centre + height / 2 == pytest.approx(face_m)
    (visual,) = sdf_model().findall("link[@name='carm_arc']/visual[@name='detector']")
    assert float(visual.findtext("pose").split()[2]) == pytest.approx(centre)  # type: ignore[union-attr]
    assert float(visual.findtext("geometry/box/size").split()[2]) == pytest.approx(height)  # type: ignore[union-attr]


def test_both_models_look_the_same() -> None:
    def visuals(root: ElementTree.Element) -> set[str]:
        return {f"{link.get('name')}/{v.get('name')}" for link in root.findall("link") for v in link.findall("visual")}

    urdf, sdf = visuals(ElementTree.parse(URDF).getroot()), visuals(sdf_model())
    # the patient is a frame of the table there
    assert {name.replace("patient/", "table_top/") for name in urdf} == sdf


@pytest.mark.parametrize("path", [URDF, SDF], ids=lambda path: path.suffix)
def test_names_are_told_apart(path: Path) -> None:
    """SDF wants names of siblings unique whatever they are; in URDF the same keeps joints and links apart."""
    root = ElementTree.parse(path).getroot()
    for parent in root.iter():
        names = [child.get("name") for child in parent if child.tag in ("link", "joint", "frame", "model", "visual")]
        assert len(names) == len(set(names)), parent.get("name")


def bridged() -> list[dict[str, str]]:
    return yaml.safe_load((URDF.parents[1] / "config" / "gz_bridge.yaml").read_text())


def test_the_bridge_carries_what_gazebo_publishes_and_takes() -> None:
    plugins = sdf_model().findall("plugin")
    (states,) = (p for p in plugins if p.get("name") == "gz::sim::systems::JointStatePublisher")
    drives = [p for p in plugins if p.get("name") == "gz::sim::systems::JointPositionController"]
    assert [joint.text for joint in states.findall("joint_name")] == list(JOINTS)
    assert [drive.findtext("joint_name") for drive in drives] == list(JOINTS)
    out = {entry["gz_topic_name"]: entry["gz_type_name"] for entry in bridged() if entry["direction"] == "GZ_TO_ROS"}
    into = {entry["gz_topic_name"]: entry["gz_type_name"] for entry in bridged() if entry["direction"] == "ROS_TO_GZ"}
    assert out == {"/clock": "gz.msgs.Clock", states.findtext("topic"): "gz.msgs.Model"}
    assert into == {drive.findtext("topic"): "gz.msgs.Double" for drive in drives}
    assert {e["ros_type_name"] for e in bridged() if e["direction"] == "ROS_TO_GZ"} == {"std_msgs/msg/Float64"}
