"""An executor that goes on when something is destroyed while it gets ready to wait for it."""

from typing import Any

from rclpy.exceptions import InvalidHandle
from rclpy.executors import MultiThreadedExecutor

MOST_IN_A_ROW = 100
"""What is still in the way then is not just being destroyed."""


class SteadyExecutor(MultiThreadedExecutor):
    """Callbacks of one thread may destroy subscriptions while another one is about to wait for their events.

    rclpy passes such handles over when it enters them, but not when it adds the events of a destroyed subscription to
    what it waits for: deactivating a node would now and then end its process.
    """

    def wait_for_ready_callbacks(self, *args: Any, **kwargs: Any) -> Any:
        """As rclpy does it, and again without what is gone."""
        for _ in range(MOST_IN_A_ROW):
            try:
                return super().wait_for_ready_callbacks(*args, **kwargs)
            except InvalidHandle:
                if self._is_shutdown:
                    raise
        return super().wait_for_ready_callbacks(*args, **kwargs)
