"""Where and when a message was made: std_msgs/Header."""

from radgs_core.errors import InputError
from radgs_core.messages.factory import Message, MessageFactory
from radgs_core.messages.stamps import stamp_from_nanoseconds


def header_of(factory: MessageFactory, stamp_ns: int, frame: str) -> Message:
    """The header of a stamp in nanoseconds and a frame."""
    return factory.make("std_msgs/msg/Header", stamp=stamp_from_nanoseconds(factory, stamp_ns), frame_id=frame)


def check_header(header: Message, topic: str) -> None:
    """Refuse a message that does not say where and when it was made.

    Raises:
        InputError: frame_id is empty or the stamp is zero.
    """
    if not header.frame_id:
        raise InputError(f"{topic}: header.frame_id is empty; set it to the view's optical frame.")
    if header.stamp.sec == 0 and header.stamp.nanosec == 0:
        raise InputError(f"{topic}: header.stamp is zero; set it to the time of acquisition.")
