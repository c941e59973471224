"""A live run with trained networks, from no start and with images of a common size, gives the same bytes offline."""

import dataclasses
from importlib.util import find_spec
from pathlib import Path

import pytest
from radgs_reg.msg import VertebraPose
from small_case import LEVELS
from topic_recorder import RECORDED, TopicRecorder, of_frames, without_gaps

from radgs_core.case import Case
from radgs_core.io.bag_reader import Recorded, opened_bag
from radgs_core.io.bag_writer import written_bag
from radgs_core.messages.image_transport import RAW
from radgs_core.messages.topics import TF, TF_STATIC
from radgs_core.registration.pipeline import SpineRegistration
from radgs_core.replay.replay import Replay
from radgs_core.replay.settings import ReplaySettings
from radgs_reg_ros.demo.shipped_networks import shipped_networks

REGISTRATION, SIMULATOR = "/registration_node", "/carm_simulator_node"
PAIRS = 2
MEASURED = {f"/vertebra_{level}/measured_cp": "geometry_msgs/msg/PoseStamped" for level in LEVELS}
INPUTS = [f"/{topic}" for topic in RAW.xray_topics]
FRAMES = [f"vertebra_{level}" for level in LEVELS]
LONG = 120.0


@pytest.fixture(scope="module")
def networks_folder(case_folder, tmp_path_factory) -> Path:
    """The small case with the networks of the demo, which are of the same patient."""
    folder = tmp_path_factory.mktemp("networks") / "case"
    dataclasses.replace(Case.load(case_folder), networks=shipped_networks()).save(folder)
    return folder


@pytest.fixture(scope="module")
def live(start_node, remote, diagnostics, networks_folder) -> list[Recorded]:
    """All that was sent while some exposures were taken, each registered as it came."""
    recorder = TopicRecorder(remote, MEASURED)
    case = str(networks_folder)
    remote.watch(
        start_node("carm_simulator_node", case=case, image_size=512, pixel_mm=0.6),
        start_node("registration_node", case=case, auto_register=True),
    )
    remote.bring_up([REGISTRATION, SIMULATOR], LONG)
    for topic in RAW.xray_topics:
        diagnostics.wait_for_value("subscribers", topic, lambda count: int(count) >= 2)
    for number in range(1, PAIRS + 1):
        answer = remote.trigger(f"{SIMULATOR}/expose", LONG)
        assert answer.success, answer.message
        for topic in (*INPUTS, "/vertebra_poses"):
            remote.wait_for(lambda t=topic, n=number: len(recorder.of(t)) == n, f"{topic} of pair {number}", LONG)
    for topic in MEASURED:
        remote.wait_for(lambda topic=topic: len(recorder.of(topic)) == PAIRS, f"{topic}: every level registered", LONG)
    remote.wait_for(lambda: len(list(of_frames(recorder.of(TF), FRAMES))) == PAIRS, "the frames", LONG)
    return recorder.messages


@pytest.fixture(scope="module")
def offline(live, networks_folder, tmp_path_factory) -> list[Recorded]:
    """What a replay of that has written."""
    folder = tmp_path_factory.mktemp("recordings")
    with written_bag(folder / "live", "mcap", RECORDED.types, {}) as writer:
        for message in live:
            if message.topic in (*INPUTS, TF, TF_STATIC):
                writer.write(message.topic, message.kind, 10, False, message.received_ns, message.data)
    case = Case.load(networks_folder)
    with opened_bag(folder / "live") as bag, written_bag(folder / "out", "mcap", RECORDED.types, {}) as writer:
        replay = Replay(bag, case, SpineRegistration(case), ReplaySettings(levels=LEVELS))
        outcomes = replay.run(writer, lambda fraction, message: None)
        assert [outcome.all_registered for outcome in outcomes] == [True] * PAIRS and replay.left_out == 0
    with opened_bag(folder / "out") as bag:
        return list(bag.messages(list(bag.kinds)))


def of(messages: list[Recorded], topic: str) -> list[bytes]:
    chosen = [message for message in messages if message.topic == topic]
    return [without_gaps(message) for message in (of_frames(chosen, FRAMES) if topic == TF else chosen)]


@pytest.mark.skipif(find_spec("tf2_ros") is not None, reason="tf2 turns matrices into quaternions and back")
@pytest.mark.parametrize("topic", ["/vertebra_poses", TF, *MEASURED])
def test_poses_are_the_same_bytes(topic, live, offline):
    assert len(of(live, topic)) == PAIRS
    assert of(live, topic) == of(offline, topic)


def test_networks_found_the_levels(live):
    for message in (message for message in live if message.topic == "/vertebra_poses"):
        levels = RECORDED.read(message.kind, message.data, "").vertebrae
        assert [level.status for level in levels] == [VertebraPose.REGISTERED] * len(LEVELS)
    assert not [message for message in live if message.topic == "/initialpose"]
