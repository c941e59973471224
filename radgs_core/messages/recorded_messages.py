"""Messages without ROS, as recordings hold them: made, serialised and read by rosbags."""

import struct
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from rosbags.interfaces import Nodetype
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from radgs_core.errors import InputError
from radgs_core.io.parser_error import reason_of
from radgs_core.messages.factory import Message
from radgs_core.messages.stamps import NS_PER_S

OWN_MESSAGES = ("VertebraPose", "VertebraPoseArray")
_DEFAULTS = {"geometry_msgs/msg/Quaternion": {"w": 1.0}}
"""What rosbags leaves out of the definitions: fields that are not zero when nobody fills them in."""


class RecordedMessages:
    """``MessageFactory`` over the types of ROS 2 Kilted and of this package."""

    def __init__(self) -> None:
        self.types = _typestore()

    def make(self, kind: str, **fields: Any) -> Message:
        """See ``MessageFactory``."""
        values = {}
        for name, (node, of) in self.types.fielddefs[kind][1]:
            if name in fields:
                value = fields[name]
                values[name] = np.asarray(value, dtype=of[0][1][0]) if _is_numbers(node, of) else value
            else:
                values[name] = self._default(kind, name, node, of)
        return self.types.types[kind](**values)

    def serialised(self, kind: str, message: Message) -> memoryview:
        """The message as it is sent and recorded: CDR, little-endian, with its four bytes of encapsulation."""
        return self.types.serialize_cdr(message, kind, little_endian=True)

    def read(self, kind: str, data: bytes, name: str) -> Message:
        """The message of CDR bytes; ``name`` is what an error calls it.

        Raises:
            InputError: they are not of this kind.
        """
        try:
            return self.types.deserialize_cdr(data, kind)
        except Exception as error:  # rosbags raises its SerdeError, but IndexError and others as well
            raise InputError(f"{name} is no {kind} ({reason_of(error)}); record it anew.") from error

    def _default(self, kind: str, name: str, node: Nodetype, of: Any) -> Any:
        if node == Nodetype.NAME:
            return self.make(of)
        if node == Nodetype.BASE:
            zero = "" if of[0] == "string" else np.zeros((), dtype=of[0]).item()
            return _DEFAULTS.get(kind, {}).get(name, zero)
        length = of[1] if node == Nodetype.ARRAY else 0
        return np.zeros(length, dtype=of[0][1][0]) if _is_numbers(node, of) else []


def stamp_ns_of(data: bytes, name: str) -> int:
    """The stamp, in nanoseconds, of the CDR bytes of a message that begins with a header; no more of it is read.

    Raises:
        InputError: they are too few; ``name`` is what the error calls the message.
    """
    if len(data) < 12:
        raise InputError(f"{name} has {len(data)} bytes, too few for a header; record it anew.")
    # four bytes of encapsulation, the second of them 1 where what follows is little-endian
    sec, nanosec = struct.unpack_from("<iI" if data[1] & 1 else ">iI", data, 4)
    return int(sec) * NS_PER_S + int(nanosec)


def _is_numbers(node: Nodetype, of: Any) -> bool:
    """Whether a field is an array or a sequence of numbers, which rosbags wants as numpy arrays."""
    return node in (Nodetype.ARRAY, Nodetype.SEQUENCE) and of[0][0] == Nodetype.BASE and of[0][1][0] != "string"


@cache
def _typestore() -> Typestore:
    types = get_typestore(Stores.ROS2_KILTED)
    for name in OWN_MESSAGES:
        text = (Path(__file__).parent / "definitions" / f"{name}.msg").read_text(encoding="utf-8")
        types.register(get_types_from_msg(text, f"radgs_reg/msg/{name}"))
    return types
