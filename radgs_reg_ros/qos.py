"""Quality of service of every topic, in one place."""

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy


def images_out() -> QoSProfile:
    """Images and camera_info that this package publishes: reliable, because best effort loses images of some megabytes.

    A reliable publisher serves reliable and best-effort subscribers alike.
    """
    return _profile(5, ReliabilityPolicy.RELIABLE, DurabilityPolicy.VOLATILE)


def images_in(reliability: str) -> QoSProfile:
    """Images and camera_info that this package reads; ``reliability`` is ``reliable`` or ``best_effort``."""
    policy = ReliabilityPolicy.BEST_EFFORT if reliability == "best_effort" else ReliabilityPolicy.RELIABLE
    return _profile(5, policy, DurabilityPolicy.VOLATILE)


def events() -> QoSProfile:
    """Messages that count when they are sent: initialpose, measured_cp."""
    return _profile(10, ReliabilityPolicy.RELIABLE, DurabilityPolicy.VOLATILE)


def last_result() -> QoSProfile:
    """What a late joiner must still get: the last result."""
    return _profile(1, ReliabilityPolicy.RELIABLE, DurabilityPolicy.TRANSIENT_LOCAL)


def tf() -> QoSProfile:
    """``/tf``, as tf2_ros has it."""
    return _profile(100, ReliabilityPolicy.RELIABLE, DurabilityPolicy.VOLATILE)


def tf_static_out() -> QoSProfile:
    """``/tf_static`` of one publisher: its last message holds all of its frames."""
    return _profile(1, ReliabilityPolicy.RELIABLE, DurabilityPolicy.TRANSIENT_LOCAL)


def tf_static_in() -> QoSProfile:
    """``/tf_static`` of all publishers, as tf2_ros has it."""
    return _profile(100, ReliabilityPolicy.RELIABLE, DurabilityPolicy.TRANSIENT_LOCAL)


def _profile(depth: int, reliability: ReliabilityPolicy, durability: DurabilityPolicy) -> QoSProfile:
    return QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=depth, reliability=reliability, durability=durability)
