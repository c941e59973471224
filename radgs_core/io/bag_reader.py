"""rosbag2 recordings, read without ROS."""

import copy
import heapq
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rosbags.interfaces import Connection
from rosbags.rosbag2 import Reader

from radgs_core.errors import InputError
from radgs_core.io.parser_error import reason_of

METADATA = "metadata.yaml"
"""What makes a folder a recording."""
FILE_SUFFIXES = (".mcap", ".db3")


@dataclass(frozen=True)
class Recorded:
    """A message as it was recorded.

    Attributes:
        topic, kind: its topic's full name and type, such as ``sensor_msgs/msg/Image``.
        received_ns: when the recorder received it.
        data: CDR.
    """

    topic: str
    kind: str
    received_ns: int
    data: bytes


class Bag:
    """A recording that is open.

    Attributes:
        path: as it was given.
        storage: ``mcap`` or ``sqlite3``.
        kinds: by topic, its type.
        counts: by topic, how many messages it has.
        begin_ns, end_ns: when the first and the last message were received; 0 where there are none.
    """

    def __init__(self, path: Path, reader: Reader) -> None:
        self.path = path
        self._reader = reader
        self._files = getattr(reader.storage, "storages", None) or [reader.storage]
        self.storage = "mcap" if self._files[0].path.suffix == ".mcap" else "sqlite3"
        self.kinds: Mapping[str, str] = {connection.topic: connection.msgtype for connection in reader.connections}
        self.counts: Mapping[str, int] = {
            topic: sum(c.msgcount for c in reader.connections if c.topic == topic) for topic in self.kinds
        }
        self.begin_ns = reader.start_time if reader.message_count else 0
        self.end_ns = reader.end_time - 1 if reader.message_count else 0

    def name_of(self, recorded: Recorded) -> str:
        """What an error calls a message."""
        return f"{self.path}: the message on {recorded.topic} that was received at {recorded.received_ns} ns"

    def messages(self, topics: Collection[str]) -> Iterator[Recorded]:
        """The messages of some topics, in the order in which they were received.

        Raises:
            InputError: the recording is damaged.
        """
        connections = [connection for connection in self._reader.connections if connection.topic in topics]
        if not connections:
            return
        # a recorder that goes on with the next file may write there what it received before the last of this one
        streams = [self._messages_of(file, connections) for file in self._files]
        messages = heapq.merge(*streams, key=lambda message: message[1])
        while True:
            with _sentence_for(self.path):
                message = next(messages, None)
            if message is None:
                return
            connection, received_ns, data = message
            yield Recorded(connection.topic, connection.msgtype, received_ns, bytes(data))

    def _messages_of(self, file: Any, connections: list[Connection]) -> Iterator[tuple[Connection, int, bytes]]:
        """Those of one file; rosbags itself reads the files of a folder one after the other."""
        storage: Any = self._reader.storage
        if storage is not file:
            storage = copy.copy(storage)
            storage.storages = [file]
        return iter(storage.messages(connections))


def is_bag(path: Path) -> bool:
    """Whether a path looks like a recording: a folder with metadata, or one file of a recording."""
    return (path / METADATA).is_file() or (path.suffix.lower() in FILE_SUFFIXES and path.is_file())


def lacks_metadata(path: Path) -> bool:
    """Whether a folder has files of a recording but not what makes it one: its recorder was killed."""
    return path.is_dir() and not is_bag(path) and any(file.suffix.lower() in FILE_SUFFIXES for file in path.glob("*"))


@contextmanager
def opened_bag(path: Path) -> Iterator[Bag]:
    """Open a recording: a rosbag2 folder, or a single .mcap or .db3 file.

    Raises:
        InputError: there is none, it is damaged, or of a kind that is not read.
    """
    if lacks_metadata(path):
        raise InputError(f"{path} holds a recording but no {METADATA}; write it with `ros2 bag reindex {path}`.")
    if not is_bag(path):
        raise InputError(
            f"{path} is no recording; give a rosbag2 folder (with {METADATA} in it), or a .mcap or .db3 file."
        )
    with _sentence_for(path):
        reader = Reader(path)
        reader.open()
    try:
        yield Bag(path, reader)
    finally:
        reader.close()


@contextmanager
def _sentence_for(path: Path) -> Iterator[None]:
    """Errors of parsers as one sentence for the user."""
    try:
        yield
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror or error}); check it and its permissions.") from error
    # rosbags raises its ReaderError, but on damaged files also struct.error, AssertionError, errors of SQLite, zstd ...
    except Exception as error:
        raise InputError(
            f"{path} cannot be read as a rosbag2 recording ({reason_of(error)}); copy it anew, or try"
            " `ros2 bag reindex` or `mcap recover`."
        ) from error
