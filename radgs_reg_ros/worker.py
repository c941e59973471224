"""Runs long jobs outside the callbacks."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from operator import methodcaller
from typing import Generic, TypeVar

Job = TypeVar("Job")
Outcome = TypeVar("Outcome")


class JobCancelled(Exception):
    """The job was cancelled: the node is deactivated or shut down."""


@dataclass
class _Request(Generic[Job, Outcome]):
    job: Job
    cancelled: threading.Event = field(default_factory=threading.Event)
    is_kept: bool = False
    waiting: "list[Future[Outcome]]" = field(default_factory=list)


class LatestJobWorker(Generic[Job, Outcome]):
    """One thread that runs one job at a time; of the jobs that come meanwhile only the latest is kept.

    Whoever waits for a job that a newer one replaced gets the newer one's outcome.
    """

    def __init__(self, name: str, work: Callable[[Job, threading.Event], Outcome]) -> None:
        """``work(job, cancelled)`` runs in the thread; it should raise JobCancelled soon after the event is set."""
        self._work = work
        self._condition = threading.Condition()
        self._running: _Request[Job, Outcome] | None = None
        self._pending: _Request[Job, Outcome] | None = None
        self._stopped = False
        # a daemon: a job that does not look at its event must not keep the process alive
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, job: Job) -> "Future[Outcome]":
        """Run ``job`` when the running one is done, unless a newer one comes before that."""
        future: Future[Outcome] = Future()
        with self._condition:
            if self._stopped:
                future.set_exception(JobCancelled("the node is shutting down"))
                return future
            waiting = self._pending.waiting if self._pending else []
            self._pending = _Request(job, waiting=[*waiting, future])
            self._condition.notify()
        return future

    def cancel(self, reason: str) -> None:
        """Give the running and the pending job up; returns at once, and whoever waits gets JobCancelled(reason).

        Not one that is to be kept.
        """
        with self._condition:
            requests = [request for request in (self._running, self._pending) if request and not request.is_kept]
            self._pending = None
            for request in requests:
                request.cancelled.set()
                for future in request.waiting:
                    future.set_exception(JobCancelled(reason))
                request.waiting.clear()

    def keep(self) -> None:
        """The running job, which calls this, is not to be given up any more: who waits for it gets its outcome."""
        with self._condition:
            assert self._running is not None
            self._running.is_kept = True

    def stop(self, timeout_s: float) -> bool:
        """Cancel everything and end the thread; False when the running job did not give up in time."""
        with self._condition:
            self._stopped = True
            self._condition.notify()
        self.cancel("the node is shutting down")
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (request := self._next()) is not None:
            self._do(request)
            del request  # images and a result: not to be kept while nothing is done

    def _next(self) -> _Request[Job, Outcome] | None:
        """Wait for a job; None when the thread is to end."""
        with self._condition:
            self._condition.wait_for(lambda: self._pending or self._stopped)
            if self._stopped:
                return None
            self._running, self._pending = self._pending, None
            return self._running

    def _do(self, request: _Request[Job, Outcome]) -> None:
        try:
            outcome = self._work(request.job, request.cancelled)
        except Exception as error:  # whoever waits gets it
            self._answer(request, methodcaller("set_exception", error))
        else:
            self._answer(request, methodcaller("set_result", outcome))

    def _answer(self, request: _Request[Job, Outcome], answer: "Callable[[Future[Outcome]], None]") -> None:
        with self._condition:
            self._running = None
            for future in request.waiting:
                answer(future)
            request.waiting.clear()  # an error's traceback leads to the request: a circle would keep both
