"""registration_node: two X-rays in, a TF frame per vertebra out."""

import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from geometry_msgs.msg import PoseWithCovarianceStamped
from numpy.typing import NDArray
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.subscription import Subscription
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header
from std_srvs.srv import Trigger

from radgs_core.acquisition.pairing import VIEWS, ApproximatePairing, LatestPairing, Shot
from radgs_core.acquisition.registrar import Registrar
from radgs_core.acquisition.xray_inbox import Acquisition, LateImage, NoPairYet, XrayInbox
from radgs_core.case import Case
from radgs_core.messages.image_transport import TRANSPORTS
from radgs_core.messages.stamps import nanoseconds, seconds_text
from radgs_core.messages.topics import info_topic
from radgs_core.registration.pipeline import InputError, RegistrationResult, SpineRegistration
from radgs_reg_ros import qos
from radgs_reg_ros.awaited import awaited
from radgs_reg_ros.managed_node import ManagedNode
from radgs_reg_ros.parameter_declaration import read
from radgs_reg_ros.parameters import RegistrationParameters, selected_levels
from radgs_reg_ros.result_publisher import ResultPublisher
from radgs_reg_ros.ros_messages import message_class
from radgs_reg_ros.run_node import run_node
from radgs_reg_ros.shot_placer import ShotPlacer
from radgs_reg_ros.tf_buffer import TfBuffer, open_tf_buffer
from radgs_reg_ros.time_jumps import TimeJumps
from radgs_reg_ros.worker import JobCancelled, LatestJobWorker


@dataclass(frozen=True)
class Outcome:
    """What a registration tells whoever asked for it."""

    success: bool
    message: str


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
        self._pairing: ApproximatePairing | LatestPairing | None = None
        self._inbox: XrayInbox | None = None
        self._tf_buffer: TfBuffer | None = None
        self._placer: ShotPlacer | None = None
        self._jumps: TimeJumps | None = None
        self._jump_count = 0
        self._registrar: Registrar | None = None
        self._publisher: ResultPublisher | None = None
        self._subscriptions_active: list[Subscription] = []
        self._incompatible: set[str] = set()
        self._publishing = threading.Lock()
        self._collecting = threading.Lock()
        self._seen_pair: tuple[int, ...] | None = None
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
            lambda target, source, stamp_ns: self._looked_up(self._cancelled, target, source, stamp_ns),
        )
        self._publisher = ResultPublisher(self, case, levels, parameters.reference_frame, parameters.frame_prefix)
        self._tell_no_start(self._registrar)
        self.get_logger().info(f"case {parameters.case} with {', '.join(levels)}")

    def activate(self) -> None:
        assert self._publisher is not None and self._registrar is not None
        with self._collecting:
            self._open_inbox()
        transport = TRANSPORTS[self._settings.image_transport]
        self._publisher.publish_beginning()
        self.diagnostics.drop(["pictures"])
        self._start_placer.submit(self._registrar)  # deactivation may have come before its transform
        profile = qos.images_in(self._settings.image_reliability)
        for view in VIEWS:
            for kind, name, callback in (
                (message_class(transport.kind), transport.topic(view), self._on_image),
                (CameraInfo, info_topic(view), self._on_camera_info),
            ):
                events = SubscriptionEventCallbacks(incompatible_qos=partial(self._on_incompatible, name))
                self._subscriptions_active.append(
                    self.create_subscription(kind, name, partial(callback, view), profile, event_callbacks=events)
                )
        self._subscriptions_active.append(
            self.create_subscription(PoseWithCovarianceStamped, "initialpose", self._on_initialpose, qos.events())
        )

    def deactivate(self) -> None:
        # ~/register hands its pair over under the first, a result is sent under the second: neither falls in between
        with self._collecting, self._publishing:
            self._inbox = self._pairing = None
            self._worker.cancel("the node was deactivated")
            if self._owes_pictures and self._publisher is not None:
                self._forget_pictures()
                self._publisher.publish_no_pictures()
        for subscription in self._subscriptions_active:
            self.destroy_subscription(subscription)
        self._subscriptions_active.clear()
        self._incompatible.clear()
        self._forget_inputs()

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
        if self._placer is not None:
            self._placer.timeout_s = parameters.tf_timeout_s
        if isinstance(self._pairing, ApproximatePairing):
            self._pairing.slop_s = parameters.sync_slop_s

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

    def _open_inbox(self) -> None:
        parameters = self._settings
        by_stamp = parameters.sync_mode == "approximate"
        self._pairing = ApproximatePairing(parameters.sync_slop_s) if by_stamp else LatestPairing()
        self._inbox = XrayInbox(self._pairing, parameters.intensity, TRANSPORTS[parameters.image_transport])
        self._seen_pair = None

    def _on_jump(self, what_happened: str) -> None:
        """What came before belongs to another run: it makes no pair with what comes now, and no result."""
        self._forget_inputs()
        registrar = self._registrar
        if registrar is not None and registrar.drop_unplaced_start():
            self.diagnostics.warn(
                "initialpose",
                f"initialpose: {what_happened}, so where its frame was at its stamp is not to be known any more; send"
                " it again.",
            )
            self._tell_no_start(registrar)
        for name in self._incompatible:
            self._warn_of_incompatible(name)  # their publishers are not told of again
        with self._collecting:
            if self._inbox is not None and self._publisher is not None:
                self._open_inbox()
                with self._publishing:  # a result that is being sent is taken back, too
                    self._worker.cancel(f"{what_happened}, and the pair is of before that.")
                    self._forget_pictures()
                    self._publisher.publish_nothing()
        self._jump_count += 1
        sentence = f"{what_happened}; images, pairs and moving frames of before that are forgotten"
        self.get_logger().info(sentence)
        self.diagnostics.ok("time", sentence, jumps=str(self._jump_count))

    def _forget_inputs(self) -> None:
        """Forget where views were, and what diagnostics say of inputs: they would pass for new ones."""
        if self._placer is not None:
            self._placer.forget()
        self._start_placer.cancel("its transform is of before that")
        transport = TRANSPORTS[self._settings.image_transport]
        names = [(transport.topic(view), info_topic(view), _transform_entry(view)) for view in VIEWS]
        self.diagnostics.drop(["pair", *(name for names_of_view in names for name in names_of_view)])

    def _is_outdated(self, topic: str, header: Header) -> bool:
        """Whether a message was sent before time went back; says so."""
        stamp_ns = nanoseconds(header.stamp)
        if self._jumps is None or not self._jumps.is_outdated(stamp_ns):
            return False
        self.diagnostics.ok(topic, "left out: it was sent before the time went back", stamp=seconds_text(stamp_ns))
        return True

    def _on_shot_placed(self, shot: Shot, problem: Exception | None) -> None:
        """In a thread of the placer."""
        name, stamp = _transform_entry(shot.view), seconds_text(shot.stamp_ns)
        if problem is None:
            self.diagnostics.ok(name, f"{self._settings.reference_frame} <- {shot.frame} is known", stamp=stamp)
        elif isinstance(problem, InputError):
            self.diagnostics.warn(name, f"{shot.view}/image: {problem}", stamp=stamp)
        else:
            sentence = self._unexpected_sentence(f"{shot.view}/image: looking its place up", problem)
            self.diagnostics.error(name, sentence, stamp=stamp)

    def _on_image(self, view: str, message: Image | CompressedImage) -> None:
        transport = TRANSPORTS[self._settings.image_transport]
        topic = transport.topic(view)
        if self._inbox is None or self._placer is None or self._is_outdated(topic, message.header):
            return
        try:
            shot = self._inbox.add_image(view, message, topic)
        except LateImage as late:
            self.diagnostics.warn(topic, str(late), stamp=seconds_text(nanoseconds(message.header.stamp)))
        except InputError as error:
            self.diagnostics.error(topic, str(error))
        else:
            self._placer.expect(shot)
            height, width = shot.pixels.shape
            self.diagnostics.ok(topic, f"{width}x{height} {transport.encoding(message)}")
            self._on_input()

    def _on_camera_info(self, view: str, message: CameraInfo) -> None:
        topic = info_topic(view)
        if self._inbox is None or self._is_outdated(topic, message.header):
            return
        try:
            self._inbox.add_info(view, message, topic)
        except InputError as error:
            self.diagnostics.error(topic, str(error))
        else:
            self.diagnostics.ok(topic, f"{message.width}x{message.height} in {message.header.frame_id}")
            self._on_input()

    def _on_input(self) -> None:
        """See whether what came completes a pair."""
        assert self._inbox is not None
        try:
            acquisition = self._inbox.latest()
        except NoPairYet as waiting:
            self.diagnostics.ok("pair", str(waiting))
            return
        except InputError as error:
            self.diagnostics.error("pair", str(error))
            return
        stamps = {view: seconds_text(stamp_ns) for view, stamp_ns in acquisition.stamps_ns.items()}
        self.diagnostics.ok("pair", "a pair of X-rays is ready", stamp=seconds_text(acquisition.stamp_ns), **stamps)
        if acquisition.key == self._seen_pair:
            return
        self._seen_pair = acquisition.key
        if self._settings.auto_register:
            self._worker.submit(acquisition)

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
                    self.diagnostics.warn("initialpose", f"initialpose: {error}")
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

    def _on_incompatible(self, name: str, _event: object) -> None:
        self._incompatible.add(name)
        self._warn_of_incompatible(name)

    def _warn_of_incompatible(self, name: str) -> None:
        self.diagnostics.warn(
            name,
            f"{name}: a publisher offers best effort only, but image_reliability asks for"
            f" {self._settings.image_reliability}; set image_reliability to best_effort.",
        )

    async def _on_register(self, _request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        executor = self.executor
        assert executor is not None  # it runs this
        try:
            with self._collecting:  # time must not go back between the two
                if self._inbox is None:
                    response.message = "registration_node is not active; configure and activate it first."
                    return response
                waiting = self._worker.submit(self._inbox.latest())
            outcome = await awaited(waiting, executor)
        except JobCancelled as error:
            outcome = Outcome(False, str(error))
        except InputError as error:
            self.diagnostics.warn("registration", str(error))
            outcome = Outcome(False, str(error))
        response.success, response.message = outcome.success, outcome.message
        return response

    def _work(self, acquisition: Acquisition, cancelled: threading.Event) -> Outcome:
        """Register one pair; in the worker thread."""
        self._cancelled = cancelled
        registrar, publisher = self._registrar, self._publisher
        stamp = seconds_text(acquisition.stamp_ns)

        def progress(fraction: float, message: str) -> None:
            if cancelled.is_set():
                raise JobCancelled("the registration was cancelled")
            self.get_logger().info(f"registering {stamp}: {fraction:.0%} {message}", throttle_duration_sec=1.0)

        if registrar is None or publisher is None:
            raise JobCancelled("the node was deactivated")
        tell = partial(self._tell, registrar, stamp)
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
        return self._report(result, tell)

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

    def _tell(self, registrar: Registrar, stamp: str, tell: Callable[..., None], sentence: str, **values: str) -> None:
        """Say how a registration goes, unless the node has given its registrar back meanwhile."""
        with self._collecting:
            if self._registrar is registrar:
                tell("registration", sentence, stamp=stamp, **values)

    def _report(self, result: RegistrationResult, tell: Callable[..., None]) -> Outcome:
        rejected: dict[str, list[str]] = {}  # by reason: it is the same for all levels when they are not found
        for label, level in result.levels.items():
            if level.status != "registered":
                rejected.setdefault(level.reason, []).append(label)
        found = len(result.levels) - sum(map(len, rejected.values()))
        sentence = f"registered {found} of {len(result.levels)} levels in {result.seconds:.1f} s"
        if rejected:
            sentence += "; rejected " + "; ".join(f"{', '.join(labels)}: {why}" for why, labels in rejected.items())
        seconds = f"{result.seconds:.6f}"
        if rejected:
            tell(self.diagnostics.warn, sentence, seconds=seconds)
        else:
            tell(self.diagnostics.ok, sentence, seconds=seconds)
            self.get_logger().info(sentence)
        return Outcome(not rejected, sentence)


def _transform_entry(view: str) -> str:
    """Name of the diagnostic of where a view is."""
    return f"{view}/transform"


def main(args: list[str] | None = None) -> int:
    """Entry point of the executable registration_node."""
    return run_node(RegistrationNode, args)


if __name__ == "__main__":
    raise SystemExit(main())
