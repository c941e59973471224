"""Ctrl-C and SIGTERM: first asked, then enforced."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def deferred_interruption() -> Iterator[Callable[[], bool]]:
    """Give a function that says whether to stop: a signal that arrives meanwhile only sets that.

    A second signal acts as it would have without this, so nobody has to wait for a step that takes long. Outside the
    main thread, where Python handles no signals, nothing is deferred.
    """
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return
    before = {
        number: handler
        for number in (signal.SIGINT, signal.SIGTERM)
        if (handler := signal.getsignal(number)) not in (None, signal.SIG_IGN)  # set by C, or nohup
    }

    def put_back() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def ask(number: int, frame: FrameType | None) -> None:
        asked.set()
        put_back()

    for number in before:
        signal.signal(number, ask)
    try:
        yield asked.is_set
    finally:
        put_back()
