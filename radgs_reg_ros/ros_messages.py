"""Messages of rclpy's classes."""

import array
import importlib
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radgs_core.messages.factory import Message


@cache
def message_class(kind: str) -> Any:
    """The class of a type such as ``sensor_msgs/msg/Image``."""
    package, folder, name = kind.split("/")
    return getattr(importlib.import_module(f"{package}.{folder}"), name)


class RosMessages:
    """``MessageFactory`` over rclpy's classes."""

    def make(self, kind: str, **fields: Any) -> Message:
        """See ``MessageFactory``."""
        return message_class(kind)(
            **{name: _bytes(value) if isinstance(value, np.ndarray) else value for name, value in fields.items()}
        )


def _bytes(values: NDArray[np.uint8]) -> "array.array[int]":
    """rclpy copies an array of bytes in one go, but a numpy array element by element (a hundred times slower)."""
    copied = array.array("B")
    copied.frombytes(values.data)
    return copied


ROS_MESSAGES = RosMessages()
