"""A registration node that registers its pair again and again, for real, until it is cancelled."""

from collections.abc import Callable
from typing import Any

from radgs_core.registration.pipeline import RegistrationResult, SpineRegistration
from radgs_reg_ros.registration_node import RegistrationNode
from radgs_reg_ros.run_node import run_node

REGISTER = SpineRegistration.register


def register(
    self: SpineRegistration,
    *arguments: Any,
    progress: Callable[[float, str], None] | None = None,
    **options: Any,
) -> RegistrationResult:
    """In place of ``SpineRegistration.register``."""
    if progress is None:
        return REGISTER(self, *arguments, **options)  # warming up
    while True:
        REGISTER(self, *arguments, progress=progress, **options)
        print("registered, and again", flush=True)


if __name__ == "__main__":
    SpineRegistration.register = register
    raise SystemExit(run_node(RegistrationNode))
