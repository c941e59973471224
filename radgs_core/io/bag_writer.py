"""rosbag2 recordings, written without ROS."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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


class BagWriter:
    """Takes serialised messages; a topic is there from its first message on."""

    def __init__(self, writer: Writer, types: Typestore) -> None:
        self._writer = writer
        self._types = types
        self._connections: dict[str, Connection] = {}

    def write(self, topic: str, kind: str, depth: int, latched: bool, received_ns: int, data: bytes) -> None:
        """Write a message; ``depth`` and ``latched`` are what players offer for its topic."""
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
    with written_atomically(path, replaces_folder_with=NOTE) as folder:
        try:
            with Writer(folder, version=Writer.VERSION_LATEST, storage_plugin=plugin) as writer:
                yield BagWriter(writer, types)
        except sqlite3.Error as error:
            raise OSError(None, str(error)) from error
        (folder / NOTE).write_text(json.dumps(note, indent=1) + "\n", encoding="utf-8")


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
