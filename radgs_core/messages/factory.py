"""How messages are made, whatever their classes are."""

from typing import Any, Protocol, TypeAlias

Message: TypeAlias = Any
"""A ROS message: its attributes are named as in its definition. Those of rclpy and those of recordings both fit."""


class MessageFactory(Protocol):
    """Makes messages of one kind of classes."""

    def make(self, kind: str, **fields: Any) -> Message:
        """A message such as ``geometry_msgs/msg/Point``; fields that are left out have the definition's defaults.

        Args:
            kind: package, ``msg`` and name.
            fields: by name; messages of the same factory, numbers, text, lists of these, numpy's uint8 (N,) for
                bytes.
        """
