"""What is written is what players need: definitions, hashes of types, and offers that latch, by other libraries."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from made_bag import initialpose
from made_exposure import MESSAGES, S
from mcap.reader import make_reader
from mcap_ros2.decoder import DecoderFactory
from stand_ins import at
from test_replay import HOUR_S, Replayed, pair, views

LATCHED = {"/tf_static", "/vertebra_poses", "/markers", "/ap/overlay", "/lateral/overlay"}
DEPTHS = {"/tf": 100, "/tf_static": 100, "/vertebra_L1/measured_cp": 10, "/ap/image": 5, "/vertebra_poses": 1}


class Topic(NamedTuple):
    """What a recording says of a topic; offers as YAML."""

    kind: str
    definition: str
    type_hash: str
    offers: str


@pytest.fixture(scope="module", params=["mcap", "sqlite3"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of two pairs."""
    sent = [views(), initialpose(HOUR_S * S, at(10)), *pair(1), *pair(2)]
    return Replayed(tmp_path_factory.mktemp(request.param), sent, storage=request.param).path


def described(folder: Path) -> dict[str, Topic]:
    """By topic, from the files of a storage; mcap itself has no hashes, but the metadata that it holds."""
    if (folder / f"{folder.name}.db3").exists():
        query = (
            "SELECT name, type, encoded_message_definition, topics.type_description_hash, offered_qos_profiles"
            " FROM topics JOIN message_definitions ON type = topic_type WHERE encoding = 'ros2msg'"
        )
        with closing(sqlite3.connect(folder / f"{folder.name}.db3")) as database:
            return {name: Topic(*values) for name, *values in database.execute(query)}
    with (folder / f"{folder.name}.mcap").open("rb") as file:
        reader = make_reader(file)
        summary = reader.get_summary()
        (held,) = (record.metadata for record in reader.iter_metadata() if record.name == "rosbag2")
    assert summary is not None and {schema.encoding for schema in summary.schemas.values()} == {"ros2msg"}
    hashes = of_metadata(yaml.safe_load(held["serialized_metadata"]), "type_description_hash")
    return {
        channel.topic: Topic(
            (schema := summary.schemas[channel.schema_id]).name,
            schema.data.decode(),
            hashes[channel.topic],
            channel.metadata["offered_qos_profiles"],
        )
        for channel in summary.channels.values()
    }


def of_metadata(information: Any, name: str) -> dict[str, Any]:
    topics = (each["topic_metadata"] for each in information["topics_with_message_count"])
    return {topic["name"]: topic[name] for topic in topics}


def test_every_topic_has_definition_and_hash_of_its_type(folder: Path) -> None:
    topics = described(folder)
    assert set(DEPTHS) | LATCHED < set(topics)
    for topic, (kind, definition, type_hash, _) in topics.items():
        assert definition == MESSAGES.types.generate_msgdef(kind, ros_version=2)[0], topic
        assert type_hash == MESSAGES.types.hash_rihs01(kind) and type_hash.startswith("RIHS01_"), topic
    assert "VertebraPose[] vertebrae" in topics["/vertebra_poses"].definition
    assert "MSG: radgs_reg/VertebraPose\n" in topics["/vertebra_poses"].definition, "of what it holds, too"
    information = yaml.safe_load((folder / "metadata.yaml").read_text())["rosbag2_bagfile_information"]
    hashes = of_metadata(information, "type_description_hash")
    assert hashes == {topic: each.type_hash for topic, each in topics.items()}


def test_players_offer_what_the_node_does_and_latch_the_last_result(folder: Path) -> None:
    """`ros2 bag play` reads metadata.yaml, Foxglove the file."""
    information = yaml.safe_load((folder / "metadata.yaml").read_text())["rosbag2_bagfile_information"]
    in_file = {topic: yaml.safe_load(each.offers) for topic, each in described(folder).items()}
    for offers in (in_file, of_metadata(information, "offered_qos_profiles")):
        assert {topic for topic, (offer,) in offers.items() if offer["durability"] == "transient_local"} == LATCHED
        assert {topic: offers[topic][0]["depth"] for topic in DEPTHS} == DEPTHS
        assert {(o["reliability"], o["history"]) for (o,) in offers.values()} == {("reliable", "keep_last")}


def decoded(folder: Path) -> Iterator[tuple[str, Any]]:
    """All messages of an mcap, by its own definitions alone."""
    with (folder / f"{folder.name}.mcap").open("rb") as file:
        for _, channel, _, message in make_reader(file, decoder_factories=[DecoderFactory()]).iter_decoded_messages():
            yield channel.topic, message


@pytest.mark.parametrize("folder", ["mcap"], indirect=True)
def test_every_message_of_an_mcap_decodes_by_its_own_definition(folder: Path) -> None:
    messages = list(decoded(folder))
    assert [topic for topic, _ in messages].count("/vertebra_poses") == 2
    for topic, message in messages:
        if topic == "/vertebra_poses":
            assert [level.label for level in message.vertebrae] == ["T12", "L1"]
            assert [level.ct_pose.position.x for level in message.vertebrae] == pytest.approx(
                [0.01 + 0.001 * message.header.stamp.sec] * 2
            )
    sent = {(m.header.stamp.sec, bytes(m.data)) for topic, m in messages if topic == "/ap/image"}
    assert sent == {(s, bytes(m.data)) for s in (1, 2) for _, topic, _, m in pair(s) if topic == "/ap/image"}
