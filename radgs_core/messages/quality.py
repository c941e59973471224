"""Quality of service of what this package publishes, live or in a recording."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Quality:
    """What a reliable publisher offers.

    Attributes:
        depth: how many messages are kept for slow subscribers.
        latched: whether subscribers that come later get the kept ones too (transient local).
    """

    depth: int
    latched: bool


IMAGES = Quality(5, latched=False)
"""Images and camera_info: reliable, because best effort loses images of some megabytes."""
EVENTS = Quality(10, latched=False)
"""Messages that count when they are sent: initialpose, measured_cp."""
LAST_RESULT = Quality(1, latched=True)
"""What a late joiner must still get: the last result."""
TF = Quality(100, latched=False)
"""``/tf``, as tf2_ros has it."""
TF_STATIC = Quality(1, latched=True)
"""``/tf_static`` of one publisher: its last message holds all of its frames."""
TF_STATIC_OF_ALL = Quality(100, latched=True)
"""``/tf_static`` of several publishers."""
