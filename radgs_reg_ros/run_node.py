"""Runs a node as a process: signals, executor, and an end within two seconds."""

import os
import signal
import sys
import threading
from collections.abc import Callable

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.signals import SignalHandlerOptions

from radgs_core.registration.pipeline import InputError
from radgs_reg_ros.core_log import show_core_log
from radgs_reg_ros.managed_node import ManagedNode
from radgs_reg_ros.steady_executor import SteadyExecutor

END_SIGNALS = {signal.SIGINT, signal.SIGTERM}
ANSWER_END_S = 0.2
"""How long calls get whose jobs were cancelled, until they are answered."""
WORK_END_S = 0.6
"""How long a running job gets to notice that it is cancelled."""
CALLBACK_END_S = 0.3
"""How long a running callback gets; only a transition takes longer, while it loads a case."""
CLOSE_S = 1.0
"""How long executor and DDS get together."""


def run_node(make_node: Callable[[], ManagedNode], args: list[str] | None = None) -> int:
    """Run a node until SIGINT or SIGTERM, then end the process with exit code 0, or 1 after a crash.

    Returns only when an argument or a parameter is refused: 2.

    Three threads: a transition may take one, autostart another, and the third answers calls meanwhile.
    """
    # Blocked here and so in all threads made later: the signals wait for sigwait below. Python's own handlers would not
    # run while the main thread waits in C, and rclpy's would close DDS before the node could end its work.
    signal.pthread_sigmask(signal.SIG_BLOCK, END_SIGNALS)
    try:
        rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
    except (
        RuntimeError
    ) as error:  # all that rclpy raises here: a file of parameters that is not there, an unknown option
        print(f"the ROS arguments cannot be used ({error}); correct them.", file=sys.stderr)
        return 2
    try:
        node = make_node()
    except InputError as error:
        print(error, file=sys.stderr)
        rclpy.shutdown()
        return 2
    show_core_log(node.get_logger())
    executor = SteadyExecutor(num_threads=3)
    executor.add_node(node)
    crashes: list[BaseException] = []
    closing = threading.Event()

    def spin() -> None:
        try:
            executor.spin()
        except ExternalShutdownException:
            pass
        except BaseException as error:
            if not closing.is_set():  # closing takes handles away from under the executor
                crashes.append(error)
                node.get_logger().fatal(f"a callback crashed: {type(error).__name__}: {error}")
        if not closing.is_set():
            os.kill(os.getpid(), signal.SIGTERM)

    def close() -> None:
        answered = threading.Event()
        executor.create_task(answered.set)  # it takes its turn after the calls that came before it
        answered.wait(ANSWER_END_S)
        if _ends(executor.shutdown, CALLBACK_END_S):
            spinner.join()
            node.shut_down()
        # also under a callback that hangs: this takes the process out of the graph and its files out of /dev/shm
        node.destroy_node()
        rclpy.shutdown()

    spinner = threading.Thread(target=spin, name="executor", daemon=True)
    spinner.start()
    if node.get_parameter("autostart").value:
        executor.create_task(node.bring_up)
    else:
        node.get_logger().info("unconfigured; configure and activate it, or set the parameter autostart")
    signal.sigwait(END_SIGNALS)
    closing.set()
    node.stop_work(WORK_END_S)
    _ends(close, CLOSE_S)
    sys.stdout.flush()
    sys.stderr.flush()
    # exit() would take a second to unload torch, and would wait for ever for a job that hangs in native code
    os._exit(1 if crashes else 0)


def _ends(function: Callable[[], object], timeout_s: float) -> bool:
    """Run a function in a thread; whether it ended in time."""
    thread = threading.Thread(target=function, daemon=True)
    thread.start()
    thread.join(timeout_s)
    return not thread.is_alive()
