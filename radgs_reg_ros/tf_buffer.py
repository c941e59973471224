"""One way to look transforms up, whatever provides them."""

import threading
from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from rclpy.node import Node

CANCEL_S = 0.1
NEVER = threading.Event()
"""Of lookups that nobody cancels."""


class TfBuffer(Protocol):
    """What ``/tf`` and ``/tf_static`` said lately.

    When time goes back, moving frames are forgotten: their samples are of another run. Static ones stay, because nobody
    sends them again.
    """

    def lookup(
        self,
        target: str,
        source: str,
        stamp_ns: int,
        timeout_s: float,
        cancelled: threading.Event = NEVER,
    ) -> NDArray[np.float64]:
        """``T_target_source`` (4, 4), mm, at a stamp; waits for it up to ``timeout_s``.

        Not to be called from a callback: the messages that are waited for come through callbacks.

        Raises:
            JobCancelled: ``cancelled`` was set while it waited; it looks every ``CANCEL_S``.
            TransformUnavailable: it did not come; the sentence says what is missing.
            InputError: what came is not a rigid transform.
        """

    def close(self) -> None:
        """Unsubscribe."""


def open_tf_buffer(node: Node) -> TfBuffer:
    """A buffer that listens from now on: tf2_ros where it is installed, otherwise a substitute."""
    try:
        from radgs_reg_ros.tf_buffer_tf2 import Tf2Buffer
    except ModuleNotFoundError as error:
        if error.name not in ("tf2_ros", "tf2_py"):
            raise
        from radgs_reg_ros.tf_buffer_topics import TopicTfBuffer

        return TopicTfBuffer(node)
    return Tf2Buffer(node)


def throttled_errors(node: Node) -> Callable[[str], None]:
    """Logs sentences of one place as errors, not more often than every five seconds: TF comes at a hundred hertz."""

    def report(sentence: str) -> None:
        node.get_logger().error(sentence, throttle_duration_sec=5.0)

    return report
