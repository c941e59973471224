"""Recordings as `ros2 bag record` leaves them: every version of the metadata, several files, compression."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import yaml
from made_bag import Sent
from made_exposure import MESSAGES
from mcap.writer import CompressionType, Writer

_QOS = {
    "history": (1, "keep_last"),
    "depth": (10, 10),
    "reliability": (1, "reliable"),
    "durability": (2, "volatile"),
    "deadline": ({"sec": 9223372036, "nsec": 854775807},) * 2,
    "lifespan": ({"sec": 9223372036, "nsec": 854775807},) * 2,
    "liveliness": (1, "automatic"),
    "liveliness_lease_duration": ({"sec": 9223372036, "nsec": 854775807},) * 2,
    "avoid_ros_namespace_conventions": (False, False),
}
"""As numbers, up to version 8, and as words."""
MCAP_PRESETS: dict[str, dict[str, Any]] = {
    "fastwrite": {"use_chunking": False, "compression": CompressionType.NONE},
    "zstd_fast": {"chunk_size": 4096, "compression": CompressionType.ZSTD},
    "lz4": {"chunk_size": 4096, "compression": CompressionType.LZ4},
}
"""What `--storage-preset-profile`, or a file of options, makes of the storage mcap."""


def record(path: Path, files: Sequence[Sequence[Sent]], storage: str, version: int, preset: str = "zstd_fast") -> Path:
    """Write messages into one file after the other, without rosbags; returns the folder.

    Args:
        version: of the metadata: 5 is Humble's, 6 to 8 those of Iron, 9 that of Jazzy and Kilted.
        preset: a key of ``MCAP_PRESETS``.
    """
    path.mkdir()
    suffix = "mcap" if storage == "mcap" else "db3"
    names = [f"{path.name}_{number}.{suffix}" for number in range(len(files))]
    for name, sent in zip(names, files, strict=True):
        if storage == "mcap":
            _write_mcap(path / name, sent, version, MCAP_PRESETS[preset])
        else:
            _write_sqlite3(path / name, sent, version)
    information = _information(names, files, storage, version)
    (path / "metadata.yaml").write_text(yaml.safe_dump({"rosbag2_bagfile_information": information}))
    return path


def _write_mcap(path: Path, sent: Sequence[Sent], version: int, options: dict[str, Any]) -> None:
    with path.open("wb") as file:
        writer = Writer(file, **options)
        writer.start(profile="ros2", library="libmcap")
        channels: dict[str, int] = {}
        for number, (received_ns, topic, kind, message) in enumerate(sent):
            if topic not in channels:
                text, _ = MESSAGES.types.generate_msgdef(kind, ros_version=2)
                schema = writer.register_schema(kind, "ros2msg", text.encode())
                metadata = {"offered_qos_profiles": yaml.safe_dump(_offers(version))}
                if version >= 7:
                    metadata["topic_type_hash"] = MESSAGES.types.hash_rihs01(kind)
                channels[topic] = writer.register_channel(topic, "cdr", schema, metadata)
            data = MESSAGES.serialised(kind, message)
            writer.add_message(channels[topic], received_ns, data, received_ns, number)
        writer.finish()


def _write_sqlite3(path: Path, sent: Sequence[Sent], version: int) -> None:
    """Humble's tables up to version 5, then Jazzy's, with the definitions of messages."""
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE schema(schema_version INTEGER PRIMARY KEY, ros_distro TEXT NOT NULL)")
        database.execute("INSERT INTO schema VALUES(?, 'some')", (3 if version <= 5 else 4,))
        hashed = "" if version <= 5 else ", type_description_hash TEXT NOT NULL"
        database.execute(
            "CREATE TABLE topics(id INTEGER PRIMARY KEY, name TEXT NOT NULL, type TEXT NOT NULL,"
            f" serialization_format TEXT NOT NULL, offered_qos_profiles TEXT NOT NULL{hashed})"
        )
        database.execute(
            "CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id INTEGER NOT NULL, timestamp INTEGER NOT NULL,"
            " data BLOB NOT NULL)"
        )
        if version > 5:
            database.execute(
                "CREATE TABLE message_definitions(id INTEGER PRIMARY KEY, topic_type TEXT NOT NULL, encoding TEXT NOT"
                " NULL, encoded_message_definition TEXT NOT NULL, type_description_hash TEXT NOT NULL)"
            )
        kinds = {topic: kind for _, topic, kind, _ in sent}
        for number, (topic, kind) in enumerate(kinds.items(), 1):
            values = [number, topic, kind, "cdr", yaml.safe_dump(_offers(version))]
            if version > 5:
                type_hash = MESSAGES.types.hash_rihs01(kind) if version >= 7 else ""
                values.append(type_hash)
                text, _ = MESSAGES.types.generate_msgdef(kind, ros_version=2)
                definition = (kind, "ros2msg", text, type_hash)
                database.execute("INSERT INTO message_definitions VALUES(NULL, ?, ?, ?, ?)", definition)
            database.execute(f"INSERT INTO topics VALUES({', '.join('?' * len(values))})", values)
        ids = {topic: number for number, topic in enumerate(kinds, 1)}
        for received_ns, topic, kind, message in sent:
            row = (ids[topic], received_ns, MESSAGES.serialised(kind, message))
            database.execute("INSERT INTO messages VALUES(NULL, ?, ?, ?)", row)


def _information(names: list[str], files: Sequence[Sequence[Sent]], storage: str, version: int) -> dict[str, Any]:
    sent = [message for file in files for message in file]
    topics = {topic: kind for _, topic, kind, _ in sent}
    described = []
    for topic, kind in topics.items():
        offers: Any = _offers(version)
        one: dict[str, Any] = {"name": topic, "type": kind, "serialization_format": "cdr"}
        one["offered_qos_profiles"] = offers if version >= 9 else yaml.safe_dump(offers)
        if version >= 7:
            one["type_description_hash"] = MESSAGES.types.hash_rihs01(kind)
        described.append({"topic_metadata": one, "message_count": sum(message[1] == topic for message in sent)})
    information: dict[str, Any] = {
        "version": version,
        "storage_identifier": storage,
        **_time(sent),
        "topics_with_message_count": described,
        "compression_format": "",
        "compression_mode": "",
        "relative_file_paths": names,
        "files": [{"path": name, **_time(file)} for name, file in zip(names, files, strict=True)],
    }
    if version >= 6:
        information["custom_data"] = None
    if version >= 8:
        information["ros_distro"] = "jazzy"
    return information


def _time(sent: Sequence[Sent]) -> dict[str, Any]:
    times = [received_ns for received_ns, *_ in sent]
    return {
        "starting_time": {"nanoseconds_since_epoch": min(times)},
        "duration": {"nanoseconds": max(times) - min(times)},
        "message_count": len(sent),
    }


def _offers(version: int) -> list[dict[str, Any]]:
    return [{name: values[version >= 9] for name, values in _QOS.items()}]
