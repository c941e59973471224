"""Waiting for a thread's work in a callback without keeping a thread of the executor."""

from concurrent.futures import Future
from typing import TypeVar

import rclpy.task
from rclpy.executors import Executor

Outcome = TypeVar("Outcome")


async def awaited(outcome: "Future[Outcome]", executor: Executor) -> Outcome:
    """The outcome, or what it raises; to be awaited in a coroutine that the executor runs.

    rclpy goes on with a coroutine only when its executor wakes up, and a future that is completed does not wake it.
    """
    done: rclpy.task.Future[None] = rclpy.task.Future(executor=executor)
    done.add_done_callback(lambda _: executor.wake())
    outcome.add_done_callback(lambda _: done.set_result(None))
    await done
    return outcome.result()
