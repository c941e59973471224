"""registration_node: two X-rays in, a TF frame per vertebra out."""

import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias

import numpy as np
from geometry_msgs.msg import PoseWithCovarianceStamped
from numpy.typing import NDArray
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.subscription import Subscription
from std_srvs.srv import Trigger

from radgs_core.acquisition.pairing import Shot
from radgs_core.acquisition.registrar import Registrar
from radgs_core.acquisition.xray_inbox import Acquisition
from radgs_core.case import Case
from radgs_core.messages.stamps import seconds_text
from radgs_core.registration.pipeline import InputError, RegistrationResult, SpineRegistration
from radgs_reg_ros import qos
from radgs_reg_ros.awaited import awaited
from radgs_reg_ros.managed_node import ManagedNode
from radgs_reg_ros.parameter_declaration import read
from radgs_reg_ros.parameters import RegistrationParameters, selected_levels
from radgs_reg_ros.result_publisher import ResultPublisher
from radgs_reg_ros.run_node import run_node
from radgs_reg_ros.shot_placer import ShotPlacer
from radgs_reg_ros.tf_buffer import TfBuffer, open_tf_buffer
from radgs_reg_ros.time_jumps import TimeJumps
from radgs_reg_ros.worker import JobCancelled, LatestJobWorker
from radgs_reg_ros.xray_intake import XrayIntake, transform_entry


@dataclass(frozen=True)
class Outcome:
    """What a registration tells whoever asked for it."""

    success: bool
    message: str


Pair: TypeAlias = Callable[[threading.Event], Acquisition]
"""What to register, given what cancels it; may wait."""


@dataclass(frozen=True)
class SentResult:
    """A result whose frames and poses were sent, but not its pictures."""

    result: RegistrationResult
    acquisition: Acquisition
    publisher: ResultPublisher

    @property
    def stamp(self) -> str:
        """Of the acquisition, s."""
        return seconds_text(self.acquisition.stamp_ns)


class RegistrationNode(ManagedNode):
    """See docs/topics.md. Callbacks only collect; registration runs in a worker thread, the newest pair first.

    Pictures are made after that, in another one. In view are those of the last result; while they are made, those of
    an earlier one, never of a later one than the frames. Where they will not be made any more, there are none.
    """

    def __init__(self) -> None:
        super().__init__("registration_node", RegistrationParameters)
        self._settings = RegistrationParameters()
        self._intake: XrayIntake | None = None
        self._tf_buffer: TfBuffer | None = None
        self._placer: ShotPlacer | None = None
        self._jumps: TimeJumps | None = None
        self._jump_count = 0
        self._registrar: Registrar | None = None
        self._publisher: ResultPublisher | None = None
        self._start_subscription: Subscription | None = None
        self._publishing = threading.Lock()
        self._collecting = threading.Lock()
        self._worker = LatestJobWorker("registration", self._work)
        self._painter = LatestJobWorker("pictures", self._draw)
        self._owes_pictures = False
        """Those of the last result were not sent yet; guarded by ``_publishing``."""
        self._cancelled = threading.Event()
        """Of the running registration; for its own thread."""
        self._start_placer = LatestJobWorker("initialpose transform", self._place_start)
        # a call holds its group until it is answered: others must come in meanwhile
        self._service = self.create_service(
            Trigger, "~/register", self._on_register, callback_group=ReentrantCallbackGroup()
        )

    def configure(self) -> None:
        self._settings = parameters = read(self, RegistrationParameters)
        if not parameters.case:
            raise InputError("the parameter case is empty; set it to a folder made by `radgs-reg prepare`.")
        case = Case.load(Path(parameters.case))
        levels = selected_levels(parameters.levels, list(case.levels))
        self._publisher = ResultPublisher(self, case, levels, parameters.reference_frame, parameters.frame_prefix)
        self._tf_buffer = open_tf_buffer(self)
        self._placer = ShotPlacer(
            parameters.reference_frame, self._tf_buffer, parameters.tf_timeout_s, self._on_shot_placed
        )
        self._jumps = TimeJumps(self, self._on_jump)
        registration = SpineRegistration(case)
        registration.warm_up()
        self._registrar = Registrar(
            registration,
            levels,
            parameters.reference_frame,
            self._placed,
            self._start_looked_up,
        )
        self._tell_no_start(self._registrar)
        self.get_logger().info(f"case {parameters.case} with {', '.join(levels)}")

    def activate(self) -> None:
        assert self._publisher is not None and self._registrar is not None
        assert self._placer is not None and self._jumps is not None
        self._publisher.publish_beginning()
        self.diagnostics.drop(["pictures"])
        self._start_placer.submit(self._registrar)  # deactivation may have come before its transform
        intake = XrayIntake(self, self.diagnostics, self._settings, self._placer, self._jumps, self._on_pair)
        with self._collecting:
            self._intake = intake
        self._start_subscription = self.create_subscription(
            PoseWithCovarianceStamped, "initialpose", self._on_initialpose, qos.events()
        )

    def deactivate(self) -> None:
        # ~/register is taken under the first, a result is sent under the second: neither falls in between
        with self._collecting, self._publishing:
            intake, self._intake = self._intake, None
            self._worker.cancel("the node was deactivated")
            if self._owes_pictures and self._publisher is not None:
                self._forget_pictures()
                self._publisher.publish_no_pictures()
        if intake is not None:
            intake.close()
        if self._start_subscription is not None:
            self.destroy_subscription(self._start_subscription)
            self._start_subscription = None
        self._start_placer.cancel("the node was deactivated")

    def release(self) -> None:
        if self._jumps is not None:
            self._jumps.close()
        if self._placer is not None:
            self._placer.close()
        if self._tf_buffer is not None:
            self._tf_buffer.close()
        if self._publisher is not None:
            self._publisher.close()
        self._jumps = self._placer = self._tf_buffer = self._publisher = None
        with self._collecting:  # a registration that ends later has nobody to tell
            self._registrar = None

    def parameters_changed(self) -> None:
        self._settings = parameters = read(self, RegistrationParameters)
        placer, intake = self._placer, self._intake  # they may be given back meanwhile
        if placer is not None:
            placer.timeout_s = parameters.tf_timeout_s
        if intake is not None:
            intake.set_parameters(parameters)

    def stop_work(self, timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        self._start_placer.stop(0.0)
        self._painter.stop(0.0)
        self._worker.stop(timeout_s)
        self._painter.stop(max(0.0, deadline - time.monotonic()))

    def _placed(self, view: str, frame: str, stamp_ns: int) -> NDArray[np.float64]:
        """``T_reference_camera`` (4, 4), mm; waits for it. In the worker thread."""
        placer = self._placer
        if placer is None:
            raise JobCancelled("the node was deactivated")
        return placer.place(view, frame, stamp_ns, self._cancelled)

    def _looked_up(self, cancelled: threading.Event, target: str, source: str, stamp_ns: int) -> NDArray[np.float64]:
        """``T_target_source`` (4, 4), mm, at a stamp; waits for it. In the thread of a worker."""
        tf_buffer = self._tf_buffer
        if tf_buffer is None:
            raise JobCancelled("the node was deactivated")
        return tf_buffer.lookup(target, source, stamp_ns, self._settings.tf_timeout_s, cancelled)

    def _start_looked_up(self, target: str, source: str, stamp_ns: int) -> NDArray[np.float64]:
        """For an initialpose that a registration starts from; in the worker thread."""
        try:
            T_target_source = self._looked_up(self._cancelled, target, source, stamp_ns)
        except InputError as error:
            self.diagnostics.warn("initialpose", f"initialpose: {error}", frame=source)
            raise
        self.diagnostics.ok("initialpose", "its place is known", frame=source)
        return T_target_source

    def _on_jump(self, what_happened: str) -> None:
        """What came before belongs to another run: it makes no pair with what comes now, and no result."""
        self._start_placer.cancel("its transform is of before that")
        registrar = self._registrar
        if registrar is not None and registrar.drop_unplaced_start():
            self.diagnostics.warn(
                "initialpose",
                f"initialpose: {what_happened}, so where its frame was at its stamp is not to be known any more; send"
                " it again.",
            )
            self._tell_no_start(registrar)
        with self._collecting:
            if self._intake is not None and self._publisher is not None:
                self._intake.begin_anew()
                with self._publishing:  # a result that is being sent is taken back, too
                    self._worker.cancel(f"{what_happened}, and the pair is of before that.")
                    self._forget_pictures()
                    self._publisher.publish_nothing()
        self._jump_count += 1
        sentence = f"{what_happened}; images, pairs and moving frames of before that are forgotten"
        self.get_logger().info(sentence)
        self.diagnostics.ok("time", sentence, jumps=str(self._jump_count))

    def _on_shot_placed(self, shot: Shot, problem: Exception | None) -> None:
        """In a thread of the placer."""
        name, stamp = transform_entry(shot.view), seconds_text(shot.stamp_ns)
        if problem is None:
            self.diagnostics.ok(name, f"{self._settings.reference_frame} <- {shot.frame} is known", stamp=stamp)
        elif isinstance(problem, InputError):
            self.diagnostics.warn(name, f"{shot.view}/image: {problem}", stamp=stamp)
        else:
            sentence = self._unexpected_sentence(f"{shot.view}/image: looking its place up", problem)
            self.diagnostics.error(name, sentence, stamp=stamp)

    def _on_pair(self, acquisition: Acquisition) -> None:
        if self._settings.auto_register:
            self._worker.submit(lambda _cancelled: acquisition)

    def _on_initialpose(self, message: PoseWithCovarianceStamped) -> None:
        registrar = self._registrar
        if registrar is None:
            return
        with self._collecting:  # of an earlier one nothing is told any more
            self._start_placer.cancel("a newer initialpose has come")
        try:
            registrar.set_start(message, "initialpose")
        except InputError as error:
            self.diagnostics.error("initialpose", str(error))
        else:
            self.diagnostics.ok("initialpose", "taken", frame=message.header.frame_id)
            self.diagnostics.ok(
                "start", "the initialpose, or the last result where that is newer", source="initialpose"
            )
            self._start_placer.submit(registrar)

    def _place_start(self, registrar: Registrar, cancelled: threading.Event) -> None:
        """Look up where the initialpose is before TF forgets it; in a thread of its own."""
        try:
            self._keep_place_of_start(registrar, cancelled)
        except JobCancelled:
            raise
        except Exception as error:
            with self._collecting:
                if self._registrar is not registrar or cancelled.is_set():
                    return
                if isinstance(error, InputError):
                    self.diagnostics.warn("initialpose", str(error))
                else:
                    sentence = self._unexpected_sentence("initialpose: looking its place up", error)
                    self.diagnostics.error("initialpose", sentence)

    def _keep_place_of_start(self, registrar: Registrar, cancelled: threading.Event) -> None:
        """Look up where the initialpose is, unless that is known; in the thread of a worker."""
        frame = registrar.place_start(partial(self._looked_up, cancelled))
        with self._collecting:
            if frame and self._registrar is registrar and not cancelled.is_set():
                self.diagnostics.ok("initialpose", "its place is known", frame=frame)

    def _tell_no_start(self, registrar: Registrar) -> None:
        """Say where registrations start before there is an initialpose."""
        if registrar.needs_start:
            self.diagnostics.ok("start", "an initialpose is needed: the case has no networks", source="none")
        else:
            self.diagnostics.ok("start", "none is needed: networks of the case find the levels", source="networks")

    def _unexpected_sentence(self, what: str, error: Exception) -> str:
        """What to say of an error that should not be; where it comes from is in the log."""
        self.get_logger().error("".join(traceback.format_exception(error)))
        return f"{what} failed unexpectedly ({type(error).__name__}: {error})."

    async def _on_register(self, _request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        executor = self.executor
        assert executor is not None  # it runs this
        try:
            with self._collecting:
                if self._intake is None:
                    response.message = "registration_node is not active; configure and activate it first."
                    return response
                waiting = self._worker.submit(self._intake.whole_pair)
            outcome = await awaited(waiting, executor)
        except JobCancelled as error:
            outcome = Outcome(False, str(error))
        response.success, response.message = outcome.success, outcome.message
        return response

    def _work(self, pair: Pair, cancelled: threading.Event) -> Outcome:
        """Register one pair; in the worker thread."""
        self._cancelled = cancelled
        registrar, publisher = self._registrar, self._publisher
        if registrar is None or publisher is None:
            raise JobCancelled("the node was deactivated")
        try:
            acquisition = pair(cancelled)
        except InputError as error:
            if cancelled.is_set():
                raise JobCancelled("the node was deactivated") from error
            self._tell(registrar, self.diagnostics.warn, str(error))
            return Outcome(False, str(error))
        stamp = seconds_text(acquisition.stamp_ns)

        def progress(fraction: float, message: str) -> None:
            if cancelled.is_set():
                raise JobCancelled("the registration was cancelled")
            self.get_logger().info(f"registering {stamp}: {fraction:.0%} {message}", throttle_duration_sec=1.0)

        tell = partial(self._tell, registrar, stamp=stamp)
        tell(self.diagnostics.ok, "registering")
        try:
            geometry = registrar.geometry(acquisition)
            self._keep_place_of_start(registrar, cancelled)
            result = registrar.register(
                acquisition,
                geometry,
                progress,
                lambda result: self._send(SentResult(result, acquisition, publisher), cancelled),
            )
        except JobCancelled:
            tell(self.diagnostics.ok, "cancelled")
            raise
        except InputError as error:
            tell(self.diagnostics.error, str(error))
            return Outcome(False, str(error))
        except Exception as error:  # the node lives on, whatever one pair of images does
            sentence = self._unexpected_sentence("the registration", error)
            tell(self.diagnostics.error, sentence)
            return Outcome(False, sentence)
        return self._report(result, acquisition, tell)

    @contextmanager
    def _sending(self, cancelled: threading.Event) -> Iterator[None]:
        """A part of a result is being sent, which nothing interrupts; JobCancelled where it must not be any more."""
        with self._publishing:
            if cancelled.is_set():
                raise JobCancelled("the registration was cancelled")
            yield

    def _send(self, sent: SentResult, cancelled: threading.Event) -> None:
        """Frames and poses; the pictures come later, and nothing waits for them. In the worker thread."""
        made = sent.publisher.messages.of(sent.result, sent.acquisition)
        with self._sending(cancelled):
            sent.publisher.publish(made)
            self._worker.keep()  # it is known now: whoever asked for it is told so, also when the node is deactivated
            self._painter.cancel("there is a newer result")  # else its pictures would come after these frames
            self._painter.submit(sent)
            self._owes_pictures = True
            self.diagnostics.ok("pictures", "markers and overlays are being made", stamp=sent.stamp)

    def _draw(self, sent: SentResult, cancelled: threading.Event) -> None:
        """Make and send the pictures of a result; in a thread of its own."""
        try:
            pictures = sent.publisher.messages.pictures(sent.result, sent.acquisition)
            with self._sending(cancelled):
                sent.publisher.publish(pictures)
                self._owes_pictures = False
                self.diagnostics.ok("pictures", "markers and overlays are made", stamp=sent.stamp)
        except JobCancelled:
            raise
        except Exception as error:  # the result stands, whatever becomes of its pictures
            self.get_logger().error(traceback.format_exc())
            sentence = f"markers and overlays could not be made ({type(error).__name__}: {error})."
            with self._sending(cancelled):
                sent.publisher.publish_no_pictures()
                self._owes_pictures = False
                self.diagnostics.warn("pictures", sentence, stamp=sent.stamp)

    def _forget_pictures(self) -> None:
        """Those that are being made are not sent any more, and nothing is said of them; under ``_publishing``."""
        self._painter.cancel("its result is over")
        self._owes_pictures = False
        self.diagnostics.drop(["pictures"])

    def _tell(self, registrar: Registrar, tell: Callable[..., None], sentence: str, **values: str) -> None:
        """Say how a registration goes, unless the node has given its registrar back meanwhile."""
        with self._collecting:
            if self._registrar is registrar:
                tell("registration", sentence, **values)

    def _report(self, result: RegistrationResult, acquisition: Acquisition, tell: Callable[..., None]) -> Outcome:
        count = f"{len(result.registered)} of {len(result.levels)}"
        sentence = f"registered {count} levels of {_stamps_text(acquisition)} in {result.seconds:.1f} s"
        seconds = f"{result.seconds:.6f}"
        if result.all_registered:
            tell(self.diagnostics.ok, sentence, seconds=seconds)
            self.get_logger().info(sentence)
        else:
            sentence += f"; rejected {result.rejections}"
            tell(self.diagnostics.warn, sentence, seconds=seconds)
        return Outcome(result.all_registered, sentence)


def _stamps_text(acquisition: Acquisition) -> str:
    """Which X-rays: whoever asked is to see whether they are those that were meant."""
    stamps = {view: seconds_text(stamp_ns) for view, stamp_ns in acquisition.stamps_ns.items()}
    if stamps["ap"] == stamps["lateral"]:
        return f"the X-rays of {stamps['ap']}"
    return f"the X-rays of {stamps['ap']} (ap) and {stamps['lateral']} (lateral)"


def main(args: list[str] | None = None) -> int:
    """Entry point of the executable registration_node."""
    return run_node(RegistrationNode, args)


if __name__ == "__main__":
    raise SystemExit(main())
