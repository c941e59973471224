"""Quality of service of every topic, as rclpy takes it."""

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

from radgs_core.messages import quality
from radgs_core.messages.quality import Quality


def offered(offer: Quality) -> QoSProfile:
    """Of a publisher; it is reliable, which serves reliable and best-effort subscribers alike."""
    durability = DurabilityPolicy.TRANSIENT_LOCAL if offer.latched else DurabilityPolicy.VOLATILE
    return _profile(offer.depth, ReliabilityPolicy.RELIABLE, durability)


def images_out() -> QoSProfile:
    """Images and camera_info that this package publishes."""
    return offered(quality.IMAGES)


def images_in(reliability: str) -> QoSProfile:
    """Images and camera_info that this package reads; ``reliability`` is ``reliable`` or ``best_effort``."""
    policy = ReliabilityPolicy.BEST_EFFORT if reliability == "best_effort" else ReliabilityPolicy.RELIABLE
    return _profile(quality.IMAGES.depth, policy, DurabilityPolicy.VOLATILE)


def events() -> QoSProfile:
    """Messages that count when they are sent: initialpose, measured_cp."""
    return offered(quality.EVENTS)


def last_result() -> QoSProfile:
    """What a late joiner must still get: the last result."""
    return offered(quality.LAST_RESULT)


def tf() -> QoSProfile:
    """``/tf``, as tf2_ros has it."""
    return offered(quality.TF)


def tf_static_out() -> QoSProfile:
    """``/tf_static`` of one publisher: its last message holds all of its frames."""
    return offered(quality.TF_STATIC)


def tf_static_in() -> QoSProfile:
    """``/tf_static`` of all publishers, as tf2_ros has it."""
    return offered(quality.TF_STATIC_OF_ALL)


def _profile(depth: int, reliability: ReliabilityPolicy, durability: DurabilityPolicy) -> QoSProfile:
    return QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=depth, reliability=reliability, durability=durability)
