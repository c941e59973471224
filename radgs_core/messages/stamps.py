"""Message stamps as integers, which compare and subtract exactly."""

from radgs_core.messages.factory import Message, MessageFactory

NS_PER_S = 1_000_000_000
JUMP_BACK_NS = NS_PER_S // 10
"""A ``/clock`` that goes back by this much or more begins another run, live and in a recording; by less, it wavers."""


def nanoseconds(stamp: Message) -> int:
    """Nanoseconds since the clock's epoch, of a builtin_interfaces/Time."""
    return int(stamp.sec) * NS_PER_S + int(stamp.nanosec)


def stamp_from_nanoseconds(factory: MessageFactory, stamp_ns: int) -> Message:
    """The builtin_interfaces/Time of a stamp in nanoseconds."""
    sec, nanosec = divmod(stamp_ns, NS_PER_S)
    return factory.make("builtin_interfaces/msg/Time", sec=sec, nanosec=nanosec)


def seconds_text(stamp_ns: int) -> str:
    """A stamp as people read it: seconds with the fraction to the nanosecond."""
    return f"{stamp_ns // NS_PER_S}.{stamp_ns % NS_PER_S:09d} s"
