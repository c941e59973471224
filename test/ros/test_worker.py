import threading
import time
import weakref

import pytest

from radgs_reg_ros.worker import JobCancelled, LatestJobWorker

LONG = 20.0


class Gate:
    """A job function that waits until it is let through, and notes what it did."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.entered = threading.Semaphore(0)
        self.open = threading.Semaphore(0)

    def __call__(self, job: str, cancelled: threading.Event) -> str:
        self.entered.release()
        assert self.open.acquire(timeout=LONG)
        if cancelled.is_set():
            raise JobCancelled("noticed")
        self.done.append(job)
        return job.upper()


@pytest.fixture
def gate():
    return Gate()


@pytest.fixture
def worker(gate):
    worker = LatestJobWorker("test", gate)
    yield worker
    gate.open.release(10)
    worker.stop(LONG)


def test_a_job_runs_in_another_thread():
    worker = LatestJobWorker("named", lambda job, cancelled: threading.current_thread().name)
    assert worker.submit(None).result(LONG) == "named"
    assert worker.stop(LONG)


def test_the_newest_of_the_waiting_jobs_wins_and_answers_for_the_others(worker, gate):
    first = worker.submit("first")
    assert gate.entered.acquire(timeout=LONG)
    overtaken = [worker.submit("second"), worker.submit("third")]
    newest = worker.submit("fourth")
    gate.open.release(2)
    assert first.result(LONG) == "FIRST"
    assert [future.result(LONG) for future in (*overtaken, newest)] == ["FOURTH"] * 3
    assert gate.done == ["first", "fourth"]


def test_an_error_reaches_who_waits_and_the_worker_lives_on():
    def work(job, cancelled):
        return 1 / job

    worker = LatestJobWorker("test", work)
    with pytest.raises(ZeroDivisionError):
        worker.submit(0).result(LONG)
    assert worker.submit(2).result(LONG) == 0.5
    worker.stop(LONG)


def test_cancel_answers_at_once_even_while_the_job_still_runs(worker, gate):
    running = worker.submit("first")
    assert gate.entered.acquire(timeout=LONG)
    pending = worker.submit("second")
    worker.cancel("no longer wanted")
    for future in (running, pending):
        with pytest.raises(JobCancelled, match="no longer wanted"):
            future.result(LONG)
    later = worker.submit("third")
    gate.open.release(2)
    assert later.result(LONG) == "THIRD"
    assert gate.done == ["third"]


def test_a_job_that_is_to_be_kept_is_not_given_up(gate):
    def work(job: str, cancelled: threading.Event) -> str:
        worker.keep()
        return gate(job, cancelled)

    worker = LatestJobWorker("test", work)
    running = worker.submit("first")
    assert gate.entered.acquire(timeout=LONG)
    pending = worker.submit("second")
    worker.cancel("no longer wanted")
    with pytest.raises(JobCancelled, match="no longer wanted"):
        pending.result(LONG)
    gate.open.release()
    assert running.result(LONG) == "FIRST"
    assert worker.stop(LONG)


def test_stop_ends_the_thread_and_refuses_new_jobs(worker, gate):
    running = worker.submit("first")
    assert gate.entered.acquire(timeout=LONG)
    assert not worker.stop(0.0), "the job has not noticed yet"
    gate.open.release()
    assert worker.stop(LONG)
    for future in (running, worker.submit("late")):
        with pytest.raises(JobCancelled, match="shutting down"):
            future.result(LONG)


class Held:
    """Something large."""


@pytest.mark.parametrize("fails", [False, True])
def test_nothing_of_a_job_is_kept_while_nothing_is_done(fails):
    """Two X-rays and what networks made of them are megabytes."""

    def work(job: Held, cancelled: threading.Event) -> Held:
        if fails:
            raise RuntimeError("no")
        return Held()

    worker = LatestJobWorker("test", work)
    job = Held()
    kept = [weakref.ref(job)]
    future = worker.submit(job)
    if fails:
        assert isinstance(future.exception(LONG), RuntimeError)
    else:
        kept.append(weakref.ref(future.result(LONG)))
    del job, future
    deadline = time.monotonic() + LONG
    while any(reference() is not None for reference in kept):
        assert time.monotonic() < deadline, "it is still referenced"
        time.sleep(0.01)
    worker.stop(LONG)
