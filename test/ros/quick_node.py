"""A registration node that registers every pair at once; it warms up as ever."""

import threading
from collections.abc import Callable

from held_registration import HeldRegistration

from radgs_core.registration.pipeline import RegistrationResult, SpineRegistration
from radgs_reg_ros.registration_node import RegistrationNode
from radgs_reg_ros.run_node import run_node

WARM_UP = SpineRegistration.register
QUICK = HeldRegistration(None)
QUICK.open = threading.Semaphore(1_000_000)  # lets everything through


def register(
    registration: SpineRegistration,
    *arguments: object,
    progress: Callable[[float, str], None] | None = None,
    **options: object,
) -> RegistrationResult:
    """In place of ``SpineRegistration.register``."""
    if progress is None:
        return WARM_UP(registration, *arguments, **options)
    return QUICK.register(*arguments, progress=progress, **options)


def run_quick_node(make_node: Callable[[], RegistrationNode]) -> int:
    """As ``run_node``."""
    SpineRegistration.register = register
    SpineRegistration.needs_start = False
    return run_node(make_node)


if __name__ == "__main__":
    raise SystemExit(run_quick_node(RegistrationNode))
