"""rosbag2 recordings, written without ROS."""

import json
import sqlite3
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from rosbags.interfaces import (
    Connection,
    Qos,
    QosDurability,
    QosHistory,
    QosLiveliness,
    QosReliability,
    QosTime,
)
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys.store import Typestore

from radgs_core.io.atomic import written_atomically

NOTE = "replay.json"
"""Says what a recording was made from; a recording is replaced only if it has this file, so never one of a robot."""
_NEVER = QosTime(9223372036, 854775807)
"""RMW_DURATION_INFINITE."""
LEFT_TO_WRITE = 16
"""Messages that the thread may be behind, which bounds memory: those of a result and the next pair's."""


class BagWriter:
    """Takes serialised messages; a topic is there from its first message on.

    They are written in the order in which they come, by a thread: what makes them goes on meanwhile.
    """

    def __init__(self, writer: Writer, types: Typestore, thread: ThreadPoolExecutor) -> None:
        self._writer = writer
        self._types = types
        self._thread = thread
        self._connections: dict[str, Connection] = {}
        self._left: deque[Future[None]] = deque()

    def write(
        self, topic: str, kind: str, depth: int, latched: bool, received_ns: int, data: bytes | memoryview
    ) -> None:
        """Write a message, whose ``data`` do not change any more; ``depth`` and ``latched`` are what players offer for
        its topic.

        Raises:
            OSError, sqlite3.Error: this or an earlier message cannot be written.
        """
        self._left.append(self._thread.submit(self._write, topic, kind, depth, latched, received_ns, data))
        self.wait(LEFT_TO_WRITE)

    def wait(self, left: int = 0) -> None:
        """Wait until no more than so many messages are left to write; raises as ``write``."""
        while len(self._left) > left:
            self._left.popleft().result()

    def _write(
        self, topic: str, kind: str, depth: int, latched: bool, received_ns: int, data: bytes | memoryview
    ) -> None:
        if topic not in self._connections:
            self._connections[topic] = self._writer.add_connection(
                topic, kind, typestore=self._types, offered_qos_profiles=[_offer(depth, latched)]
            )
        self._writer.write(self._connections[topic], received_ns, data)


@contextmanager
def written_bag(path: Path, storage: str, types: Typestore, note: Mapping[str, Any]) -> Iterator[BagWriter]:
    """A recording to write to; it is at ``path`` only when the block has ended without an exception.

    Args:
        path: folder; one that is there is replaced only if it is empty or was written here.
        storage: ``mcap`` or ``sqlite3``.
        types: definitions of the messages.
        note: what it was made from, for people; JSON.

    Raises:
        InputError: something else is at ``path``, or it cannot be written.
    """
    plugin = StoragePlugin.MCAP if storage == "mcap" else StoragePlugin.SQLITE3
    with written_atomically(path, replaces_folder_with=NOTE) as folder, ThreadPoolExecutor(1) as thread:
        try:
            with _opened_in(thread, Writer(folder, version=Writer.VERSION_LATEST, storage_plugin=plugin)) as opened:
                writer = BagWriter(opened, types, thread)
                yield writer
                writer.wait()
        except sqlite3.Error as error:
            raise OSError(None, str(error)) from error
        (folder / NOTE).write_text(json.dumps(note, indent=1) + "\n", encoding="utf-8")


@contextmanager
def _opened_in(thread: ThreadPoolExecutor, writer: Writer) -> Iterator[Writer]:
    """Open and close it in the thread that writes: SQLite refuses another one."""
    with ExitStack() as stack:
        stack.push(lambda *error: thread.submit(writer.__exit__, *error).result())
        yield thread.submit(writer.__enter__).result()


def _offer(depth: int, latched: bool) -> Qos:
    """As a reliable publisher offers it."""
    return Qos(
        history=QosHistory.KEEP_LAST,
        depth=depth,
        reliability=QosReliability.RELIABLE,
        durability=QosDurability.TRANSIENT_LOCAL if latched else QosDurability.VOLATILE,
        deadline=_NEVER,
        lifespan=_NEVER,
        liveliness=QosLiveliness.AUTOMATIC,
        liveliness_lease_duration=_NEVER,
        avoid_ros_namespace_conventions=False,
    )
