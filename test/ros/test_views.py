"""The RViz configuration and the Foxglove layout show topics that there are."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from rclpy.qos import DurabilityPolicy, ReliabilityPolicy

CONFIG = Path(__file__).parents[2] / "config"
NODE = "registration_node"
RVIZ_TYPES = {
    "rviz_default_plugins/MarkerArray": "visualization_msgs/msg/MarkerArray",
    "rviz_default_plugins/Image": "sensor_msgs/msg/Image",
}
PANEL_TYPES = {
    "3D": "visualization_msgs/msg/MarkerArray",
    "Image": "sensor_msgs/msg/Image",
    "DiagnosticSummary": "diagnostic_msgs/msg/DiagnosticArray",
    "Table": "radgs_reg/msg/VertebraPoseArray",
}


@pytest.fixture(scope="module")
def published(start_node, remote, case_folder) -> dict[str, str]:
    """Topics of registration_node with their types."""
    remote.watch(start_node(NODE, case=str(case_folder), autostart=True))

    def topics() -> dict[str, str]:
        found = remote.node.get_publisher_names_and_types_by_node(NODE, "/")
        return {name: kind for name, (kind,) in found}

    remote.wait_for(lambda: NODE in remote.node.get_node_names(), "the node", 60.0)
    remote.wait_for(lambda: "/vertebra_poses" in topics() and "/lateral/overlay" in topics(), "its topics", 60.0)
    return topics()


def rviz_displays() -> list[dict[str, Any]]:
    return yaml.safe_load((CONFIG / "radgs_reg.rviz").read_text())["Visualization Manager"]["Displays"]


def foxglove() -> dict[str, Any]:
    return json.loads((CONFIG / "foxglove_layout.json").read_text())


def test_rviz_shows_published_topics(published, remote):
    shown = {display["Topic"]["Value"]: display for display in rviz_displays() if "Topic" in display}
    assert set(shown) == {"markers", "ap/overlay", "lateral/overlay"}
    for topic, display in shown.items():
        assert published[f"/{topic}"] == RVIZ_TYPES[display["Class"]]
        (offered,) = remote.node.get_publishers_info_by_topic(f"/{topic}")
        assert offered.qos_profile.reliability == ReliabilityPolicy.RELIABLE
        assert offered.qos_profile.durability == DurabilityPolicy.TRANSIENT_LOCAL
        assert display["Topic"]["Reliability Policy"] == "Reliable"
        assert display["Topic"]["Durability Policy"] == "Transient Local", "the last result, also when RViz comes later"


def test_rviz_stands_in_the_reference_frame_and_shows_tf():
    manager = yaml.safe_load((CONFIG / "radgs_reg.rviz").read_text())["Visualization Manager"]
    assert manager["Global Options"]["Fixed Frame"] == "carm_base"
    assert "rviz_default_plugins/TF" in [display["Class"] for display in rviz_displays()]


def foxglove_topics() -> set[tuple[str, str]]:
    """Topic and kind of panel, of every panel."""
    found = set()
    for panel, settings in foxglove()["configById"].items():
        kind = panel.split("!")[0]
        topics = [*settings.get("topics", {}), settings.get("topicToRender"), settings.get("topicPath")]
        topics.append(settings.get("imageMode", {}).get("imageTopic"))
        found |= {(topic.split(".")[0], kind) for topic in topics if topic}
    return found


def test_foxglove_shows_published_topics(published):
    shown = foxglove_topics()
    assert {topic for topic, _ in shown} == {
        "/markers", "/ap/overlay", "/lateral/overlay", "/diagnostics", "/vertebra_poses"
    }  # fmt: skip
    assert {(topic, published[topic]) for topic, _ in shown} == {(topic, PANEL_TYPES[kind]) for topic, kind in shown}


def test_every_panel_has_its_place_in_the_layout():
    def places(part: Any) -> list[str]:
        return [part] if isinstance(part, str) else [*places(part["first"]), *places(part["second"])]

    layout = foxglove()
    assert sorted(places(layout["layout"])) == sorted(layout["configById"])
    assert layout["configById"]["3D!vertebrae"]["followTf"] == "carm_base"
