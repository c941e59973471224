"""A registration node that keeps something of every registration."""

import threading

import numpy as np
from quick_node import run_quick_node

from radgs_core.acquisition.xray_inbox import Acquisition
from radgs_reg_ros.registration_node import Outcome, RegistrationNode

KEPT: list[np.ndarray] = []


class LeakingNode(RegistrationNode):
    """Its memory grows by 1 MB in each loop, as if it kept an X-ray of 512x512."""

    def _work(self, acquisition: Acquisition, cancelled: threading.Event) -> Outcome:
        KEPT.append(np.ones((512, 512), np.float32))
        return super()._work(acquisition, cancelled)


if __name__ == "__main__":
    raise SystemExit(run_quick_node(LeakingNode))
