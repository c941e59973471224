"""A registration node whose registrations go on until they are cancelled."""

import time
from collections.abc import Callable

from radgs_core.registration.pipeline import RegistrationResult, SpineRegistration
from radgs_reg_ros.registration_node import RegistrationNode
from radgs_reg_ros.run_node import run_node


def register(
    _: SpineRegistration, *arguments: object, progress: Callable[[float, str], None] | None = None, **options: object
) -> RegistrationResult | None:
    """In place of ``SpineRegistration.register``."""
    if progress is None:
        return None  # warming up
    print("registering", flush=True)
    while True:
        progress(0.5, "for ever")  # raises when it is cancelled
        time.sleep(0.01)


if __name__ == "__main__":
    SpineRegistration.register = register
    SpineRegistration.needs_start = False
    raise SystemExit(run_node(RegistrationNode))
