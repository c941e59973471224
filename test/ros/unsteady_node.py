"""A registration node whose steps are held, or fail, as its parameters say; it registers nothing."""

import time

from held_registration import HeldRegistration
from rclpy.parameter import Parameter

from radgs_reg_ros import registration_node
from radgs_reg_ros.registration_node import RegistrationNode
from radgs_reg_ros.run_node import run_node


class UnsteadyNode(RegistrationNode):
    """Parameters: ``held``, a step that goes on when that is another one; ``failing``, steps that fail once each."""

    def __init__(self) -> None:
        super().__init__()
        self.declare_parameter("held", "")
        self.declare_parameter("failing", "")

    def configure(self) -> None:
        super().configure()
        self._step("configure")

    def activate(self) -> None:
        super().activate()
        self._step("activate")

    def deactivate(self) -> None:
        self._step("deactivate")
        super().deactivate()

    def release(self) -> None:
        self._step("release")
        super().release()

    def _step(self, name: str) -> None:
        while self.get_parameter("held").value == name:
            time.sleep(0.01)
        failing = self.get_parameter("failing").value.split()
        if name in failing:
            failing.remove(name)
            self.set_parameters([Parameter("failing", value=" ".join(failing))])
            raise RuntimeError(f"the cable is out in {name}")


if __name__ == "__main__":
    registration_node.SpineRegistration = HeldRegistration
    raise SystemExit(run_node(UnsteadyNode))
