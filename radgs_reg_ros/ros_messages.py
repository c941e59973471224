"""Messages of rclpy's classes."""

import importlib
from functools import cache
from typing import Any

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
        return message_class(kind)(**fields)


ROS_MESSAGES = RosMessages()
