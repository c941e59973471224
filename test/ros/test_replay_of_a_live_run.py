"""What was recorded of a live run gives the same result offline, byte for byte."""

import sqlite3
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import yaml
from geometry_msgs.msg import PoseWithCovarianceStamped
from mcap.reader import make_reader
from mcap_ros2.decoder import DecoderFactory
from radgs_reg.msg import VertebraPoseArray
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import Image
from small_case import LEVELS
from topic_recorder import RECORDED, TopicRecorder, without_gaps
from visualization_msgs.msg import Marker

from radgs_core.acquisition.pairing import VIEWS
from radgs_core.case import Case
from radgs_core.io.bag_reader import opened_bag
from radgs_core.io.bag_writer import written_bag
from radgs_core.messages.image_transport import RAW
from radgs_core.messages.stamps import nanoseconds, seconds_text
from radgs_core.messages.topics import TF, TF_STATIC
from radgs_core.messages.transforms import matrix_from_pose
from radgs_core.registration.pipeline import SpineRegistration
from radgs_core.replay.replay import Replay
from radgs_core.replay.settings import ReplaySettings
from radgs_reg_ros import qos
from radgs_reg_ros.ros_messages import message_class

REGISTRATION, SIMULATOR = "/registration_node", "/carm_simulator_node"
LONG = 120.0


@pytest.fixture(scope="module")
def recorder(start_node, remote, diagnostics, case_folder):
    """Two exposures, registered live: the first from an initialpose, the second from the first's result."""
    recorder = TopicRecorder(remote, {})
    options = {"image_size": 128, "pixel_mm": 2.4, "physics": "plain", "photons": 20_000.0}
    remote.watch(
        start_node("carm_simulator_node", case=str(case_folder), **options),
        start_node("registration_node", case=str(case_folder)),
    )
    truths = remote.listen(VertebraPoseArray, "/ground_truth/vertebra_poses", qos.last_result())
    remote.bring_up([REGISTRATION, SIMULATOR], LONG)
    for topic in RAW.xray_topics:
        diagnostics.wait_for_value("subscribers", topic, lambda count: int(count) >= 2)
    for number in (1, 2):
        answer = remote.trigger(f"{SIMULATOR}/expose", LONG)
        assert answer.success, answer.message
        truth = remote.wait_for(
            lambda text=answer.message: next(
                (t for t in truths if seconds_text(nanoseconds(t.header.stamp)) in text), None
            ),
            "the truth",
            LONG,
        )
        stamp = seconds_text(nanoseconds(truth.header.stamp))
        diagnostics.wait_for_value("pair", "stamp", lambda value, stamp=stamp: value == stamp)
        if number == 1:
            start = PoseWithCovarianceStamped()
            start.header.frame_id, start.pose.pose = "carm_base", truth.vertebrae[0].ct_pose
            remote.publisher(PoseWithCovarianceStamped, "/initialpose", qos.events(), 2).publish(start)
            diagnostics.wait_for_value("initialpose", "frame", lambda frame: frame == "carm_base")
            remote.wait_for(lambda: recorder.of("/initialpose"), "the start in the recording", LONG)
        remote.trigger(f"{REGISTRATION}/register", LONG)
        remote.wait_for(lambda n=number: len(recorder.of("/vertebra_poses")) >= n, "the result", LONG)
    remote.wait_for(lambda: all(len(recorder.of(f"/{topic}")) == 2 for topic in RAW.xray_topics), "all X-rays", LONG)
    return recorder


@pytest.fixture(scope="module")
def replay_to(recorder, case_folder, tmp_path_factory):
    """Makes the recording with the results of the recording, of a storage."""

    def replay(storage: str) -> Path:
        folder = tmp_path_factory.mktemp(storage)
        starts = [message for message in recorder.messages if message.topic == "/initialpose"]
        others = [message for message in recorder.messages if message.topic not in ("/initialpose", "/vertebra_poses")]
        # live, the start came after the first pair had; offline, a pair is registered when it is complete
        begin_ns = others[0].received_ns
        with written_bag(folder / "live", storage, RECORDED.types, {}) as writer:
            for message in starts:
                writer.write(message.topic, message.kind, 10, False, begin_ns, message.data)
            for message in others:
                writer.write(message.topic, message.kind, 10, False, message.received_ns, message.data)
        case = Case.load(case_folder)
        out = folder / "replayed"
        with opened_bag(folder / "live") as bag, written_bag(out, bag.storage, RECORDED.types, {}) as writer:
            replay = Replay(bag, case, SpineRegistration(case), ReplaySettings(levels=LEVELS))
            assert len(replay.run(writer, lambda fraction, message: None)) == 2
            assert replay.left_out == 0
        return out

    return replay


@pytest.fixture(scope="module")
def replayed_bag(replay_to):
    return replay_to("mcap")


@pytest.fixture(scope="module")
def replayed(replayed_bag):
    """Its results, as messages of /vertebra_poses."""
    with opened_bag(replayed_bag) as bag:
        return [message.data for message in bag.messages(["/vertebra_poses"])]


@pytest.mark.skipif(find_spec("tf2_ros") is not None, reason="tf2 turns matrices into quaternions and back")
def test_the_results_are_the_same_bytes(recorder, replayed):
    assert [without_gaps(message) for message in recorder.of("/vertebra_poses")] == replayed


def test_the_poses_are_the_same(recorder, replayed):
    for live, offline in zip(recorder.of("/vertebra_poses"), replayed, strict=True):
        one, other = (deserialize_message(data, VertebraPoseArray) for data in (live.data, offline))
        assert one.header == other.header
        for level, same in zip(one.vertebrae, other.vertebrae, strict=True):
            assert (level.label, level.status, level.reason) == (same.label, same.status, same.reason)
            difference = matrix_from_pose(level.ct_pose, "") - matrix_from_pose(same.ct_pose, "")
            np.testing.assert_allclose(difference, 0, atol=1e-9)


def test_another_library_reads_both_recordings(recorder, replayed_bag):
    """Live messages as they were recorded, and results of the replay, beside what ROS reads in the same bytes."""
    for folder in (replayed_bag.parent / "live", replayed_bag):
        with (folder / f"{folder.name}.mcap").open("rb") as file:
            reader = make_reader(file, decoder_factories=[DecoderFactory()])
            decoded = [(channel.topic, message) for _, channel, _, message in reader.iter_decoded_messages()]
        for view in VIEWS:
            images = [message for topic, message in decoded if topic == f"/{view}/image"]
            sent = [deserialize_message(message.data, Image) for message in recorder.of(f"/{view}/image")]
            assert [(i.header.stamp.nanosec, bytes(i.data)) for i in images] == [
                (i.header.stamp.nanosec, bytes(i.data)) for i in sent
            ]
    poses = [message for topic, message in decoded if topic == "/vertebra_poses"]
    live = [deserialize_message(message.data, VertebraPoseArray) for message in recorder.of("/vertebra_poses")]
    assert [[(v.label, v.ct_pose.position.x) for v in p.vertebrae] for p in poses] == [
        [(v.label, pytest.approx(v.ct_pose.position.x, abs=1e-9)) for v in p.vertebrae] for p in live
    ]


def test_types_and_offers_are_those_that_the_nodes_announce(remote, replayed_bag):
    """A player takes their places: the same hashes of types, the same latching."""
    information = yaml.safe_load((replayed_bag / "metadata.yaml").read_text())["rosbag2_bagfile_information"]
    topics = {
        each["topic_metadata"]["name"]: each["topic_metadata"] for each in information["topics_with_message_count"]
    }
    assert {TF, TF_STATIC, "/vertebra_poses", "/vertebra_L1/measured_cp", "/markers", "/ap/overlay"} < set(topics)
    for topic, recorded in topics.items():
        announced = remote.node.get_publishers_info_by_topic(topic)
        assert {str(info.topic_type_hash) for info in announced} == {recorded["type_description_hash"]}, topic
        (offer,) = recorded["offered_qos_profiles"]
        for live in (info.qos_profile for info in announced):
            offered = (live.durability.name.lower(), live.reliability.name.lower())
            assert offered == (offer["durability"], offer["reliability"]), topic


def test_sqlite_and_ros_alone_read_a_recording_of_sqlite3(recorder, replayed, replay_to):
    """Nothing of what wrote it: Python's own SQLite, and the serialization of ROS."""
    folder = replay_to("sqlite3")
    query = "SELECT topics.name, topics.type, data FROM messages JOIN topics ON topic_id = topics.id ORDER BY timestamp"
    with closing(sqlite3.connect(folder / f"{folder.name}.db3")) as database:
        read: dict[str, list[object]] = {}
        for topic, kind, data in database.execute(query):
            read.setdefault(topic, []).append(deserialize_message(data, message_class(kind)))
    for view in VIEWS:
        sent = [deserialize_message(message.data, Image) for message in recorder.of(f"/{view}/image")]
        assert read[f"/{view}/image"] == sent
        assert [(o.encoding, len(o.data)) for o in read[f"/{view}/overlay"]] == [("rgb8", 3 * 128 * 128)] * 2
    assert read["/vertebra_poses"] == [deserialize_message(data, VertebraPoseArray) for data in replayed]
    frames = {t.child_frame_id for message in read["/tf"] for t in message.transforms}
    assert {f"vertebra_{level}" for level in LEVELS} <= frames
    assert {f"vertebra_{level}" for level in LEVELS} == {m.header.frame_id for m in labels(read)}


def labels(read: dict[str, list[object]]) -> list[Marker]:
    return [m for array in read["/markers"] for m in array.markers if m.type == Marker.TEXT_VIEW_FACING and m.text]
