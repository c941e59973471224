"""A registration node whose core has something to say while it is configured."""

import logging

from radgs_reg_ros.registration_node import RegistrationNode
from radgs_reg_ros.run_node import run_node


class TalkingNode(RegistrationNode):
    def configure(self) -> None:
        core = logging.getLogger("radgs_core.kernels.engine")
        core.info("compiling kernels")
        core.warning("the cache directory cannot be written to")
        core.error("no kernels")
        core.debug("details")
        super().configure()


if __name__ == "__main__":
    raise SystemExit(run_node(TalkingNode))
