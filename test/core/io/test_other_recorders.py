"""What `ros2 bag record` of Humble to Kilted writes is read, compressed and in several files."""

from pathlib import Path

import pytest
from made_bag import S, Sent, clock, initialpose, moving
from made_exposure import MESSAGES, Exposure
from recorder import MCAP_PRESETS, record
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from stand_ins import at

from radgs_core.errors import InputError
from radgs_core.io.bag_reader import opened_bag
from radgs_core.messages.topics import IMAGE

VERSIONS = [5, 6, 7, 8, 9]
STORAGES = ["mcap", "sqlite3"]


def some(*seconds: int) -> list[Sent]:
    """Messages of several types, each second's together; images are larger than a chunk."""
    return [
        message
        for second in seconds
        for message in (
            clock(second * S, second * S),
            moving(second * S + 1, second * S, {"ap": at(second)}),
            (second * S + 2, "/ap/image", IMAGE, Exposure.noise(second).images["ap"]),
            initialpose(second * S + 3, at(second)),
        )
    ]


def serialised(sent: list[Sent]) -> list[tuple[int, str, str, bytes | memoryview]]:
    return [(received_ns, topic, kind, MESSAGES.serialised(kind, m)) for received_ns, topic, kind, m in sent]


def read(path: Path) -> list[tuple[int, str, str, bytes]]:
    with opened_bag(path) as bag:
        return [(m.received_ns, m.topic, m.kind, m.data) for m in bag.messages(list(bag.kinds))]


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_of_the_metadata_is_read(version: int, storage: str, tmp_path: Path) -> None:
    path = record(tmp_path / "bag", [some(1, 2, 3), some(4, 5)], storage, version)
    assert read(path) == serialised(some(1, 2, 3, 4, 5))
    with opened_bag(path) as bag:
        assert bag.storage == storage and bag.counts["/ap/image"] == 5
        assert (bag.begin_ns, bag.end_ns) == (S, 5 * S + 3)


@pytest.mark.parametrize("preset", MCAP_PRESETS)
def test_every_preset_of_mcap_is_read(preset: str, tmp_path: Path) -> None:
    path = record(tmp_path / "bag", [some(1, 2, 3)], "mcap", 9, preset)
    assert read(path) == read(path / "bag_0.mcap") == serialised(some(1, 2, 3))


@pytest.mark.parametrize("storage", STORAGES)
def test_files_that_overlap_in_time_are_read_in_the_order_of_receipt(storage: str, tmp_path: Path) -> None:
    """The last image of a file comes after the first messages of the next one were received."""
    *first, _, late, last = some(1, 2)
    path = record(tmp_path / "bag", [[*first, last], [late, *some(3)]], storage, 9)
    expected = [message for message in serialised(some(1, 2, 3)) if message[0] != 2 * S + 1]
    assert read(path) == expected


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("mode", [CompressionMode.FILE, CompressionMode.MESSAGE])
def test_compressed_recordings_are_read(mode: CompressionMode, storage: str, tmp_path: Path) -> None:
    plugin = StoragePlugin.MCAP if storage == "mcap" else StoragePlugin.SQLITE3
    writer = Writer(tmp_path / "bag", version=9, storage_plugin=plugin)
    writer.set_compression(mode, CompressionFormat.ZSTD)
    with writer:
        connections = {}
        for received_ns, topic, kind, data in serialised(some(1, 2)):
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, kind, typestore=MESSAGES.types)
            writer.write(connections[topic], received_ns, data)
    assert any(path.suffix == ".zstd" for path in (tmp_path / "bag").iterdir()) is (mode == CompressionMode.FILE)
    assert read(tmp_path / "bag") == serialised(some(1, 2))
    with opened_bag(tmp_path / "bag") as bag:
        assert bag.storage == storage


def test_another_compression_is_one_sentence(tmp_path: Path) -> None:
    path = record(tmp_path / "bag", [some(1)], "sqlite3", 9)
    metadata = (path / "metadata.yaml").read_text()
    metadata = metadata.replace("compression_format: ''", "compression_format: lz4")
    (path / "metadata.yaml").write_text(metadata.replace("compression_mode: ''", "compression_mode: file"))
    with pytest.raises(InputError, match=r"bag cannot be read .*Compression format 'lz4' is not supported") as raised:
        read(path)
    assert "\n" not in str(raised.value)
