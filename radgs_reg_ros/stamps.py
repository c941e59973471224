"""Message stamps as integers, which compare and subtract exactly."""

from builtin_interfaces.msg import Time

NS_PER_S = 1_000_000_000


def nanoseconds(stamp: Time) -> int:
    """Nanoseconds since the clock's epoch."""
    return stamp.sec * NS_PER_S + stamp.nanosec


def stamp_from_nanoseconds(stamp_ns: int) -> Time:
    """The message of a stamp in nanoseconds."""
    sec, nanosec = divmod(stamp_ns, NS_PER_S)
    return Time(sec=sec, nanosec=nanosec)


def seconds_text(stamp_ns: int) -> str:
    """A stamp as people read it: seconds with the fraction to the nanosecond."""
    return f"{stamp_ns // NS_PER_S}.{stamp_ns % NS_PER_S:09d} s"
