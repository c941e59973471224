"""A lock that says when somebody has to wait for it, so that tests need not guess how long that takes."""

import threading


class ToldLock:
    """In place of ``threading.Lock``, as a context manager.

    Attributes:
        waited_for: somebody has found it taken.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.waited_for = threading.Event()

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            self.waited_for.set()
            self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()
