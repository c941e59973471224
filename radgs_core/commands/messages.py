"""What the core logs for the user, such as that kernels are being compiled: a line each on stderr."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

LEAST = logging.INFO


@contextmanager
def shown_messages() -> Iterator[None]:
    """Show what the modules of `radgs_core` log, from ``LEAST`` on."""
    core, handler = logging.getLogger("radgs_core"), _Lines()
    level = core.level
    core.setLevel(LEAST)
    core.addHandler(handler)
    try:
        yield
    finally:
        core.removeHandler(handler)
        core.setLevel(level)


class _Lines(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        print(record.getMessage(), file=sys.stderr, flush=True)  # looked up anew: a bar takes its place for a while
