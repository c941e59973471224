"""What the core logs, such as that kernels are being compiled, goes to the node's log, and so to /rosout."""

import logging

from rclpy.impl.rcutils_logger import RcutilsLogger


class CoreLog(logging.Handler):
    """Passes records on to a node's logger; rclpy decides by its own level which of them are shown."""

    def __init__(self, logger: RcutilsLogger) -> None:
        super().__init__()
        self._logger = logger

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        # rclpy wants a call of its own for each severity
        if record.levelno >= logging.ERROR:
            self._logger.error(message)
        elif record.levelno >= logging.WARNING:
            self._logger.warning(message)
        else:
            self._logger.info(message)


def show_core_log(logger: RcutilsLogger) -> None:
    """From now on, with information and all that is graver."""
    core = logging.getLogger("radgs_core")
    core.setLevel(logging.INFO)
    core.addHandler(CoreLog(logger))
