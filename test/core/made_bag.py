"""Recordings as a recorder makes them, written with rosbags itself."""

import array
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from made_exposure import MESSAGES, Exposure
from numpy.typing import NDArray
from rosbags.rosbag2 import StoragePlugin, Writer

from radgs_core.acquisition.pairing import VIEWS
from radgs_core.messages.headers import header_of
from radgs_core.messages.images import pixels_from_image
from radgs_core.messages.stamps import stamp_from_nanoseconds
from radgs_core.messages.topics import (
    CAMERA_INFO,
    CLOCK,
    CLOCK_MESSAGE,
    COMPRESSED_IMAGE,
    IMAGE,
    INITIALPOSE,
    TF,
    TF_MESSAGE,
    TF_STATIC,
)
from radgs_core.messages.transforms import pose_from_matrix, tf_message

S = 1_000_000_000
Sent = tuple[int, str, str, Any]
"""When it was received, topic, type and message."""


def write_bag(path: Path, sent: Iterable[Sent], storage: str = "mcap") -> Path:
    """Write messages in the given order; returns the folder."""
    plugin = StoragePlugin.MCAP if storage == "mcap" else StoragePlugin.SQLITE3
    with Writer(path, version=9, storage_plugin=plugin) as writer:
        connections: dict[str, Any] = {}
        for received_ns, topic, kind, message in sent:
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, kind, typestore=MESSAGES.types)
            writer.write(connections[topic], received_ns, MESSAGES.serialised(kind, message))
    return path


def xrays(received_ns: int, exposure: Exposure, namespace: str = "", views: Iterable[str] = VIEWS) -> list[Sent]:
    """Camera_info and images of some views, a millisecond apart."""
    messages = [(f"{namespace}/{view}/camera_info", CAMERA_INFO, exposure.infos[view]) for view in views]
    messages += [(f"{namespace}/{view}/image", IMAGE, exposure.images[view]) for view in views]
    return [(received_ns + i * 1_000_000, *message) for i, message in enumerate(messages)]


def as_png(sent: Sent) -> Sent:
    """An image as image_transport's plugin compressed sends it; other messages as they are."""
    received_ns, topic, kind, message = sent
    if kind != IMAGE:
        return sent
    content = cv2.imencode(".png", pixels_from_image(message, topic))[1].tobytes()
    form = f"{message.encoding}; png compressed "
    compressed = MESSAGES.make(COMPRESSED_IMAGE, header=message.header, format=form, data=array.array("B", content))
    return received_ns, f"{topic}/compressed", COMPRESSED_IMAGE, compressed


def moving(received_ns: int, stamp_ns: int, frames: dict[str, NDArray[np.float64]], parent: str = "carm_base") -> Sent:
    """Samples on /tf, mm."""
    return received_ns, TF, TF_MESSAGE, tf_message(MESSAGES, header_of(MESSAGES, stamp_ns, parent), frames)


def static(received_ns: int, frames: dict[str, NDArray[np.float64]], parent: str = "carm_base") -> Sent:
    """Frames on /tf_static, mm; their stamp says nothing."""
    return received_ns, TF_STATIC, TF_MESSAGE, tf_message(MESSAGES, header_of(MESSAGES, 1, parent), frames)


def initialpose(received_ns: int, T_frame_ct: NDArray[np.float64], frame: str = "carm_base", stamp_ns: int = 0) -> Sent:
    """A start, mm."""
    pose = MESSAGES.make("geometry_msgs/msg/PoseWithCovariance", pose=pose_from_matrix(MESSAGES, T_frame_ct))
    header = header_of(MESSAGES, stamp_ns, frame)
    return received_ns, "/initialpose", INITIALPOSE, MESSAGES.make(INITIALPOSE, header=header, pose=pose)


def clock(received_ns: int, stamp_ns: int) -> Sent:
    """A simulation's time."""
    stamp = stamp_from_nanoseconds(MESSAGES, stamp_ns)
    return received_ns, CLOCK, CLOCK_MESSAGE, MESSAGES.make(CLOCK_MESSAGE, clock=stamp)
