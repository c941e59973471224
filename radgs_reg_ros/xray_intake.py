"""The X-rays as they come: subscriptions, and the pairs that their messages make."""

import threading
from collections.abc import Callable
from functools import partial

from rclpy.clock import Clock, ClockType
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.subscription import Subscription
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header

from radgs_core.acquisition.pairing import VIEWS, ApproximatePairing, pairing_of
from radgs_core.acquisition.xray_inbox import Acquisition, LateImage, NoPairYet, XrayInbox
from radgs_core.messages.image_transport import TRANSPORTS
from radgs_core.messages.stamps import nanoseconds, seconds_text
from radgs_core.messages.topics import info_topic
from radgs_core.registration.pipeline import InputError
from radgs_reg_ros import qos
from radgs_reg_ros.diagnostics import Diagnostics
from radgs_reg_ros.parameters import RegistrationParameters
from radgs_reg_ros.ros_messages import message_class
from radgs_reg_ros.shot_placer import ShotPlacer
from radgs_reg_ros.time_jumps import TimeJumps

WATCH_S = 1.0
"""An image that has waited for its partner from one look to the next is told: images of a stream come more often."""


class XrayIntake:
    """Listens to images and camera_info of both views, from when it is made until it is closed.

    Its callbacks only collect: what takes time is done by whoever registers a pair.
    """

    def __init__(
        self,
        node: Node,
        diagnostics: Diagnostics,
        parameters: RegistrationParameters,
        placer: ShotPlacer,
        jumps: TimeJumps,
        on_pair: Callable[[Acquisition], object],
    ) -> None:
        """
        Args:
            node: that subscribes.
            diagnostics: told what comes, and what is wrong with it.
            parameters: of the node.
            placer: told of every image.
            jumps: tells what was sent before time went back.
            on_pair: called with every new pair, in the callback of the message that completes it.
        """
        self._node = node
        self._diagnostics = diagnostics
        self._parameters = parameters
        self._placer = placer
        self._jumps = jumps
        self._on_pair = on_pair
        self._transport = TRANSPORTS[parameters.image_transport]
        self._lock = threading.Lock()
        """Held by callbacks: none of them runs on when this is closed, or has begun anew."""
        self._is_closed = False
        self._incompatible: set[str] = set()
        self._begin()
        profile = qos.images_in(parameters.image_reliability)
        self._subscriptions: list[Subscription] = []
        for view in VIEWS:
            for kind, name, callback in (
                (message_class(self._transport.kind), self._transport.topic(view), self._on_image),
                (CameraInfo, info_topic(view), self._on_camera_info),
            ):
                events = SubscriptionEventCallbacks(incompatible_qos=partial(self._on_incompatible, name))
                self._subscriptions.append(
                    node.create_subscription(kind, name, partial(callback, view), profile, event_callbacks=events)
                )
        # steady: a simulated clock may stand still
        self._watch = node.create_timer(WATCH_S, self._look_for_partners, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def whole_pair(self, cancelled: threading.Event) -> Acquisition:
        """The latest pair, see ``XrayInbox.whole``; waits for the rest of it. Not to be called from a callback."""
        return self._inbox.whole(self._parameters.tf_timeout_s, cancelled)

    def set_parameters(self, parameters: RegistrationParameters) -> None:
        """What may change while it listens."""
        self._parameters = parameters
        if isinstance(self._pairing, ApproximatePairing):
            self._pairing.slop_s = parameters.sync_slop_s
        else:
            self._pairing.max_age_s = parameters.sync_max_age_s

    def begin_anew(self) -> None:
        """Forget all that came: it belongs to another run of time."""
        with self._lock:
            self._forget()
            self._begin()
            for name in self._incompatible:
                self._warn_of_incompatible(name)  # their publishers are not told of again

    def close(self) -> None:
        """Listen no longer."""
        with self._lock:
            self._is_closed = True
            self._forget()
        self._node.destroy_timer(self._watch)
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)

    def _begin(self) -> None:
        given = self._parameters
        self._pairing = pairing_of(given.sync_mode, given.sync_slop_s, given.sync_max_age_s)
        self._inbox = XrayInbox(self._pairing, given.intensity, self._transport)
        self._seen: tuple[object, ...] | None = None
        """The pair that was told."""
        self._waited_with: tuple[object, ...] | None = None
        """What ``_seen`` was when an image waited for its partner at the last look."""
        self._is_overdue = False

    def _forget(self) -> None:
        """Where views were, and what diagnostics say of inputs, would pass for new ones."""
        self._placer.forget()
        names = [(self._transport.topic(view), info_topic(view), transform_entry(view)) for view in VIEWS]
        self._diagnostics.drop(["pair", *(name for names_of_view in names for name in names_of_view)])

    def _is_outdated(self, topic: str, header: Header) -> bool:
        """Whether a message was sent before time went back; says so."""
        stamp_ns = nanoseconds(header.stamp)
        if not self._jumps.is_outdated(stamp_ns):
            return False
        self._diagnostics.ok(topic, "left out: it was sent before the time went back", stamp=seconds_text(stamp_ns))
        return True

    def _on_image(self, view: str, message: Image | CompressedImage) -> None:
        topic = self._transport.topic(view)
        with self._lock:
            if self._is_closed or self._is_outdated(topic, message.header):
                return
            try:
                shot = self._inbox.add_image(view, message, topic)
            except LateImage as late:
                self._diagnostics.warn(topic, str(late), stamp=seconds_text(nanoseconds(message.header.stamp)))
            except InputError as error:
                self._diagnostics.error(topic, str(error))
            else:
                self._placer.expect(shot)
                size = f"{shot.image.width}x{shot.image.height}"
                self._diagnostics.ok(topic, f"{size} {self._transport.encoding(message)}")
                self._look_for_pair()

    def _on_camera_info(self, view: str, message: CameraInfo) -> None:
        topic = info_topic(view)
        with self._lock:
            if self._is_closed or self._is_outdated(topic, message.header):
                return
            try:
                self._inbox.add_info(view, message, topic)
            except InputError as error:
                self._diagnostics.error(topic, str(error))
            else:
                self._diagnostics.ok(topic, f"{message.width}x{message.height} in {message.header.frame_id}")
                self._look_for_pair()

    def _look_for_pair(self) -> None:
        """See whether what came completes a pair."""
        try:
            acquisition = self._inbox.latest()
        except NoPairYet as waiting:
            if not self._is_overdue:
                self._diagnostics.ok("pair", str(waiting))
            return
        except InputError as error:
            self._diagnostics.error("pair", str(error))
            return
        is_new = acquisition.key != self._seen
        if is_new:
            self._seen, self._is_overdue = acquisition.key, False
        if not self._is_overdue:
            stamps = {view: seconds_text(stamp_ns) for view, stamp_ns in acquisition.stamps_ns.items()}
            stamp = seconds_text(acquisition.stamp_ns)
            self._diagnostics.ok("pair", "a pair of X-rays is ready", stamp=stamp, **stamps)
        if is_new:
            self._on_pair(acquisition)

    def _look_for_partners(self) -> None:
        """Tell of an image that waits for its partner although no pair has come for a while: that one may be lost."""
        with self._lock:
            missing = self._inbox.missing
            if self._is_closed or not missing:
                self._waited_with = None
                return
            now = (self._seen,)
            if now == self._waited_with:
                self._is_overdue = True
                self._diagnostics.warn("pair", f"{missing}; ~/register waits for that, and then refuses.")
            self._waited_with = now

    def _on_incompatible(self, name: str, _event: object) -> None:
        self._incompatible.add(name)
        self._warn_of_incompatible(name)

    def _warn_of_incompatible(self, name: str) -> None:
        self._diagnostics.warn(
            name,
            f"{name}: a publisher offers best effort only, but image_reliability asks for"
            f" {self._parameters.image_reliability}; set image_reliability to best_effort.",
        )


def transform_entry(view: str) -> str:
    """Name of the diagnostic of where a view is."""
    return f"{view}/transform"
