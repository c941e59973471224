"""A registration node in this process: the test calls its callbacks itself, and says when a registration ends."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import PoseWithCovarianceStamped
from numpy.typing import NDArray
from rclpy.executors import Executor, SingleThreadedExecutor
from rclpy.parameter import Parameter
from rclpy.signals import SignalHandlerOptions
from std_srvs.srv import Trigger
from xray_source import T_BASE_CAMERA, Exposure

from radgs_core.registration.result import LevelResult, RegistrationResult
from radgs_core.xray.observation import observe
from radgs_reg_ros import registration_node
from radgs_reg_ros.registration_node import RegistrationNode
from radgs_reg_ros.tf_buffer import NEVER
from radgs_reg_ros.worker import JobCancelled

LONG = 60.0
FRAMES = ["/tf", "vertebra_T12/measured_cp", "vertebra_L1/measured_cp", "vertebra_poses"]
PICTURES = ["markers", "ap/overlay", "lateral/overlay"]
RESULT = [*FRAMES, *PICTURES]
NOTHING = ["vertebra_poses", *PICTURES]
"""What is sent when a result is taken back."""


class HeldRegistration:
    """In place of `SpineRegistration`: looks at nothing, also not whether it is cancelled, until it is let through.

    Then every level is registered ten millimetres along x from where it started.

    Attributes:
        starts: of each registration, x of L1, mm; None where there was no start.
    """

    needs_start = False

    def __init__(self, case: object) -> None:
        self.starts: list[float | None] = []
        self.entered, self.open = threading.Semaphore(0), threading.Semaphore(0)

    def warm_up(self) -> None:
        """Nothing is to be compiled."""

    def register(self, images: Any, geometry: Any, initial: Any, levels: Any, progress: Any) -> RegistrationResult:
        self.starts.append(None if initial is None else float(initial["L1"][0, 3]))
        self.entered.release()
        assert self.open.acquire(timeout=LONG)
        T = np.eye(4)
        T[0, 3] = 10.0 + (self.starts[-1] or 0.0)
        found = {label: LevelResult(label, "registered", "", T, 0.4, True, 1, {}) for label in levels}
        observations = {view: observe(images[view], camera) for view, camera in geometry.views.items()}
        return RegistrationResult(geometry.reference, found, T, 0.1, {}, None, observations)


class StillBuffer:
    """In place of a TF buffer: the views of `Exposure.good`; other frames are waited for in vain.

    Attributes:
        waiting: a lookup has begun to wait.
    """

    def __init__(self) -> None:
        self.waiting = threading.Event()

    def lookup(
        self, target: str, source: str, stamp_ns: int, timeout_s: float, cancelled: threading.Event = NEVER
    ) -> NDArray[np.float64]:
        view = source.split("_")[0]
        if view in T_BASE_CAMERA:
            return T_BASE_CAMERA[view]
        self.waiting.set()
        assert cancelled.wait(LONG)
        raise JobCancelled(source)

    def close(self) -> None:
        """Nothing is open."""


class HeldNode(RegistrationNode):
    """Active after `begin`. Its executor has one thread and wakes up for nothing but calls: it has no node.

    Attributes:
        sent: topics of what would have been published since then.
    """

    _caller: Executor | None = None

    @property
    def executor(self) -> Executor | None:
        return self._caller

    @executor.setter
    def executor(self, executor: Executor) -> None:
        self._caller = executor

    def begin(self, case_folder: Path) -> None:
        self.set_parameters([Parameter("case", value=str(case_folder))])
        self.trigger_configure()
        self.trigger_activate()
        self.sent: list[str] = []
        self._publisher._send = lambda outgoing: self.sent.append(outgoing.output.topic)
        self._caller = SingleThreadedExecutor()
        self._spinner = threading.Thread(target=self._caller.spin)
        self._spinner.start()

    @property
    def registration(self) -> HeldRegistration:
        return self._registrar._registration

    def call(self) -> "Future[Trigger.Response]":
        """``~/register``."""
        answer: Future[Trigger.Response] = Future()
        task = self._caller.create_task(self._on_register, Trigger.Request(), Trigger.Response())
        task.add_done_callback(lambda done: answer.set_result(done.result()))
        return answer

    def give_start(self, x_mm: float, frame: str = "carm_base", second: int = 0) -> None:
        """An initialpose comes; without a second it has no stamp."""
        message = PoseWithCovarianceStamped()
        message.header.frame_id = frame
        message.header.stamp.sec = second
        message.pose.pose.position.x = x_mm / 1000
        self._on_initialpose(message)

    def take(self, exposure: Exposure) -> None:
        """Its messages come."""
        for view, info in exposure.infos.items():
            self._intake._on_camera_info(view, info)
        for view, image in exposure.images.items():
            self._intake._on_image(view, image)

    def register(self, second: int) -> "Future[Trigger.Response]":
        """The answer that is waited for while the exposure of a second is registered."""
        self.take(Exposure.good(second))
        answer = self.call()
        assert self.registration.entered.acquire(timeout=LONG)
        return answer

    def told(self, name: str) -> DiagnosticStatus | None:
        """What is repeated on ``/diagnostics``."""
        return self.diagnostics._entries.get(name)

    def says(self, message: str) -> Callable[[], bool]:
        """Whether this is how the last registration went."""
        return lambda: (told := self.told("registration")) is not None and told.message == message

    def idle(self) -> bool:
        """Whether none of its threads works on anything."""
        workers = (self._worker, self._painter, self._start_placer)
        return all(worker._running is None and worker._pending is None for worker in workers)

    def end(self) -> None:
        if self._registrar is not None:
            self.registration.open.release(100)
        self.stop_work(LONG)
        self._caller.shutdown()
        self._spinner.join(LONG)
        self.destroy_node()


@contextmanager
def held_node(domain: int, case_folder: Path, patch: pytest.MonkeyPatch) -> Iterator[HeldNode]:
    """An active one."""
    patch.setattr(registration_node, "SpineRegistration", HeldRegistration)
    patch.setattr(registration_node, "open_tf_buffer", lambda node: StillBuffer())
    rclpy.init(domain_id=domain, signal_handler_options=SignalHandlerOptions.NO)
    node = HeldNode()
    node.begin(case_folder)
    yield node
    node.end()
    rclpy.shutdown()


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Return as soon as it is true."""
    deadline = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < deadline, f"waited for {what} in vain"
        time.sleep(0.01)
