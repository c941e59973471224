"""Recordings are read in order and written whole or not at all; what is wrong with one is one sentence."""

import errno
import os
import sqlite3
import threading
from pathlib import Path

import pytest
from made_bag import S, clock, write_bag
from made_exposure import MESSAGES
from mcap.reader import make_reader
from mcap_ros2.decoder import DecoderFactory
from rosbags.interfaces import Connection
from rosbags.rosbag2 import Writer

from radgs_core.errors import InputError
from radgs_core.io.bag_reader import is_bag, opened_bag
from radgs_core.io.bag_writer import LEFT_TO_WRITE, NOTE, written_bag
from radgs_core.messages.topics import CLOCK, CLOCK_MESSAGE

STORAGES = ["mcap", "sqlite3"]


def times(path: Path) -> list[int]:
    with opened_bag(path) as bag:
        return [recorded.received_ns for recorded in bag.messages([CLOCK])]


def clock_bytes(second: int) -> bytes:
    return MESSAGES.serialised(CLOCK_MESSAGE, clock(0, second * S)[3])


def write_clocks(path: Path, storage: str, seconds: list[int]) -> None:
    with written_bag(path, storage, MESSAGES.types, {"made": "here"}) as writer:
        for second in seconds:
            writer.write(CLOCK, CLOCK_MESSAGE, 3, True, second * S, clock_bytes(second))


@pytest.mark.parametrize("storage", STORAGES)
def test_messages_come_in_the_order_of_their_receipt(storage: str, tmp_path: Path) -> None:
    path = write_bag(tmp_path / "bag", [clock(second * S, 5 * S) for second in (3, 1, 2)], storage)
    assert times(path) == [S, 2 * S, 3 * S]
    with opened_bag(path) as bag:
        assert (bag.storage, bag.kinds, bag.counts) == (storage, {CLOCK: CLOCK_MESSAGE}, {CLOCK: 3})
        assert (bag.begin_ns, bag.end_ns) == (S, 3 * S)
        assert list(bag.messages(["/nothing"])) == []
        assert MESSAGES.read(CLOCK_MESSAGE, next(bag.messages([CLOCK])).data, "").clock.sec == 5


@pytest.mark.parametrize("suffix", [".mcap", ".db3"])
def test_a_single_file_is_a_recording_too(suffix: str, tmp_path: Path) -> None:
    path = write_bag(tmp_path / "bag", [clock(S, S)], "mcap" if suffix == ".mcap" else "sqlite3") / f"bag{suffix}"
    assert is_bag(path) and is_bag(path.parent) and not is_bag(tmp_path)
    assert times(path) == [S]


@pytest.mark.parametrize("storage", STORAGES)
def test_an_empty_recording_is_read(storage: str, tmp_path: Path) -> None:
    with opened_bag(write_bag(tmp_path / "bag", [], storage)) as bag:
        assert (bag.counts, bag.begin_ns, bag.end_ns) == ({}, 0, 0)


@pytest.mark.parametrize("storage", STORAGES)
def test_a_truncated_recording_is_one_sentence(storage: str, tmp_path: Path) -> None:
    path = write_bag(tmp_path / "bag", [clock(second * S, S) for second in range(1, 2000)], storage)
    (file,) = (file for file in path.iterdir() if file.suffix in (".mcap", ".db3"))
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(InputError, match=r"bag cannot be read as a rosbag2 recording \(.*\); copy it anew") as raised:
        times(path)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [("nonsense: [", "cannot be read"), ("a: 1\n", "cannot be read"), ("", "cannot be read")],
)
def test_damaged_metadata_is_one_sentence(text: str, words: str, tmp_path: Path) -> None:
    path = write_bag(tmp_path / "bag", [clock(S, S)])
    (path / "metadata.yaml").write_text(text)
    with pytest.raises(InputError, match=words):
        times(path)


def test_what_is_no_recording_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nothing", tmp_path / "nothing.mcap"):
        with pytest.raises(InputError, match="is no recording; give a rosbag2 folder"), opened_bag(path):
            pass


@pytest.mark.parametrize("storage", STORAGES)
def test_what_is_written_is_read_back(storage: str, tmp_path: Path) -> None:
    write_clocks(tmp_path / "new" / "bag", storage, [1, 2])
    with opened_bag(tmp_path / "new" / "bag") as bag:
        assert bag.storage == storage
        assert [(r.received_ns, r.data) for r in bag.messages([CLOCK])] == [(s * S, clock_bytes(s)) for s in (1, 2)]


def test_mcap_is_read_by_another_library(tmp_path: Path) -> None:
    write_clocks(tmp_path / "bag", "mcap", [1, 2])
    with (tmp_path / "bag" / "bag.mcap").open("rb") as file:
        reader = make_reader(file, decoder_factories=[DecoderFactory()])
        decoded = [(m.log_time, decoded.clock.sec) for _, _, m, decoded in reader.iter_decoded_messages()]
        (channel,) = reader.get_summary().channels.values()
    assert decoded == [(S, 1), (2 * S, 2)]
    assert "durability: transient_local" in channel.metadata["offered_qos_profiles"]
    assert "depth: 3" in channel.metadata["offered_qos_profiles"]


def test_sqlite3_is_read_by_another_library(tmp_path: Path) -> None:
    write_clocks(tmp_path / "bag", "sqlite3", [1, 2])
    with sqlite3.connect(tmp_path / "bag" / "bag.db3") as database:
        rows = database.execute("SELECT timestamp, data FROM messages ORDER BY timestamp").fetchall()
        ((topic, kind, offer),) = database.execute("SELECT name, type, offered_qos_profiles FROM topics").fetchall()
    assert rows == [(S, clock_bytes(1)), (2 * S, clock_bytes(2))]
    assert (topic, kind) == (CLOCK, CLOCK_MESSAGE) and "durability: transient_local" in offer


@pytest.mark.parametrize("storage", STORAGES)
def test_a_recording_that_breaks_off_leaves_nothing(storage: str, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), written_bag(tmp_path / "bag", storage, MESSAGES.types, {}) as writer:
        writer.write(CLOCK, CLOCK_MESSAGE, 1, False, S, clock_bytes(1))
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("failing", [1, 3])
def test_a_full_disk_is_one_sentence_and_leaves_nothing(
    storage: str, failing: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when the last message is the one that cannot be written: a thread writes it after it was taken."""
    write = Writer.write

    def write_until_full(self: Writer, connection: Connection, timestamp: int, data: bytes) -> None:
        if timestamp == failing * S:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(self, connection, timestamp, data)

    monkeypatch.setattr(Writer, "write", write_until_full)
    with pytest.raises(InputError, match=r"bag cannot be written \(No space left on device\); check the free space"):
        write_clocks(tmp_path / "bag", storage, [1, 2, 3])
    assert list(tmp_path.iterdir()) == []


def test_a_writer_is_never_many_messages_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written, slow = [], threading.Event()

    def write_when_told(self: Writer, connection: Connection, timestamp: int, data: bytes) -> None:
        slow.wait()
        written.append(timestamp)

    monkeypatch.setattr(Writer, "write", write_when_told)
    with written_bag(tmp_path / "bag", "mcap", MESSAGES.types, {}) as writer:
        for second in range(LEFT_TO_WRITE):
            writer.write(CLOCK, CLOCK_MESSAGE, 1, False, second, clock_bytes(1))
        assert written == []
        slow.set()
        writer.write(CLOCK, CLOCK_MESSAGE, 1, False, LEFT_TO_WRITE, clock_bytes(1))
        assert 0 in written
    assert written == list(range(LEFT_TO_WRITE + 1))


def test_only_what_was_written_here_is_replaced(tmp_path: Path) -> None:
    robot = write_bag(tmp_path / "robot", [clock(S, S)])
    before = {file.name: file.read_bytes() for file in robot.iterdir()}
    with pytest.raises(InputError, match="holds other files"):
        write_clocks(robot, "mcap", [1])
    assert {file.name: file.read_bytes() for file in robot.iterdir()} == before
    for seconds in ([1], [1, 2]):
        write_clocks(tmp_path / "bag", "mcap", seconds)
    assert times(tmp_path / "bag") == [S, 2 * S]
    assert sorted(file.name for file in (tmp_path / "bag").iterdir()) == ["bag.mcap", "metadata.yaml", NOTE]
