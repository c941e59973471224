"""A registration node whose registrations go on until they are cancelled."""

import time
from collections.abc import Callable

from radgs_core.registration.pipeline import BiplanarGeometry, RegistrationResult
from radgs_reg_ros.registrar import Registrar
from radgs_reg_ros.registration_node import RegistrationNode
from radgs_reg_ros.run_node import run_node
from radgs_reg_ros.xray_inbox import Acquisition


def register(
    _: Registrar, acquisition: Acquisition, geometry: BiplanarGeometry, progress: Callable[[float, str], None]
) -> RegistrationResult:
    """In place of ``Registrar.register``."""
    print("registering", flush=True)
    while True:
        progress(0.5, "for ever")  # raises when it is cancelled
        time.sleep(0.01)


if __name__ == "__main__":
    Registrar.register = register
    raise SystemExit(run_node(RegistrationNode))
