"""A registration node that keeps an image whenever it is configured."""

import numpy as np

from radgs_reg_ros.registration_node import RegistrationNode
from radgs_reg_ros.run_node import run_node

KEPT: list[np.ndarray] = []


class LeakingNode(RegistrationNode):
    """Its memory grows by 4 MB in each loop."""

    def configure(self) -> None:
        super().configure()
        KEPT.append(np.ones((1024, 1024), np.float32))


if __name__ == "__main__":
    raise SystemExit(run_node(LeakingNode))
