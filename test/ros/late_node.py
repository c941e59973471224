"""slow_node on a busy machine: while it registers, its executor comes to its turn late."""

import threading
import time
from typing import Any

import slow_node

from radgs_core.registration.pipeline import SpineRegistration
from radgs_reg_ros import run_node
from radgs_reg_ros.registration_node import RegistrationNode
from radgs_reg_ros.steady_executor import SteadyExecutor

LATE_S = 0.03
registering = threading.Event()


def register(*arguments: Any, **options: Any) -> Any:
    """In place of ``SpineRegistration.register``."""
    if "progress" in options:
        registering.set()
    return slow_node.register(*arguments, **options)


class LateExecutor(SteadyExecutor):
    def wait_for_ready_callbacks(self, *args: Any, **kwargs: Any) -> Any:
        ready = super().wait_for_ready_callbacks(*args, **kwargs)
        if registering.is_set():
            time.sleep(LATE_S)
        return ready


if __name__ == "__main__":
    SpineRegistration.register = register
    SpineRegistration.needs_start = False
    run_node.SteadyExecutor = LateExecutor
    raise SystemExit(run_node.run_node(RegistrationNode))
