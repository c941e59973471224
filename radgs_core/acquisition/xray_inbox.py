"""Collects images and camera_info into pairs that can be registered."""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass

from radgs_core.acquisition.pairing import VIEWS, Pairing, Shot, ShotPair
from radgs_core.errors import InputError
from radgs_core.geometry.camera import XrayCamera
from radgs_core.messages.cameras import camera_from_info
from radgs_core.messages.factory import Message
from radgs_core.messages.image_transport import RAW, ImageTransport
from radgs_core.messages.received_image import ReceivedImage
from radgs_core.messages.stamps import nanoseconds, seconds_text
from radgs_core.messages.topics import info_topic

_KEPT_INFOS = 10
_KEPT_STAMPS = 10
"""Stamps of images kept per view: more than pairing holds back."""
_CANCEL_S = 0.05
"""How long a wait goes on after it is cancelled."""


class NoPairYet(InputError):
    """Nothing is wrong, but images or camera_info are still to come."""


class LateImage(InputError):
    """A newer image of the view is here already; this one is left out."""


@dataclass(frozen=True)
class Acquisition:
    """A pair of X-rays with what their topics say about them.

    Attributes:
        stamp_ns: time of acquisition of the pair: that of its later image.
        images: by view.
        cameras: by view, intrinsics only; the pose is still to be looked up.
        frames: by view, the optical frame.
        stamps_ns: by view, when that image was taken.
    """

    stamp_ns: int
    images: Mapping[str, ReceivedImage]
    cameras: Mapping[str, XrayCamera]
    frames: Mapping[str, str]
    stamps_ns: Mapping[str, int]

    @property
    def key(self) -> tuple[object, ...]:
        """What tells this pair from others: either image may be the one that is new, or its own camera_info may have
        come after another one was taken for it."""
        return tuple((self.stamps_ns[view], self.cameras[view].camera_matrix.tobytes()) for view in VIEWS)


@dataclass(frozen=True)
class _Info:
    frame: str
    camera: XrayCamera


class XrayInbox:
    """Takes messages of both views from any thread; keeps the latest pair.

    An image goes with the camera_info of the same stamp, and waits for it: the two come in any order, and the field of
    view may have changed since the one before. Only while no camera_info of a view had the stamp of an image (a driver
    that publishes it rarely) the latest one does. An unusable message drops what its view had: an older image must not
    pass for it. An image that a newer one overtook on its way is left out: every pair is newer than the one before.
    """

    def __init__(self, pairing: Pairing, intensity: str, transport: ImageTransport = RAW) -> None:
        """``intensity``: ``transmission`` or ``attenuation``, what the pixels mean; ``transport``: how images come."""
        self._lock = threading.Condition()
        """Tells whoever waits that something has come."""
        self._transport = transport
        self._pairing = pairing
        self._intensity = intensity
        self._infos: dict[str, OrderedDict[int, _Info]] = {view: OrderedDict() for view in VIEWS}
        self._image_stamps_ns: dict[str, deque[int]] = {view: deque(maxlen=_KEPT_STAMPS) for view in VIEWS}
        self._stamped_alike: set[str] = set()
        self._pair: ShotPair | None = None
        self._seen: set[str] = set()
        self._problems: dict[str, str] = {}
        self._late: dict[str, str] = {}
        """By view, what was said of its last image, if that was late."""

    def add_image(self, view: str, message: Message, topic: str) -> Shot:
        """Take an image; returns what was made of it.

        Raises:
            LateImage: a newer one is here already, and stays.
            InputError: it cannot be used; names ``topic``.
        """
        with self._lock:
            self._lock.notify_all()
            try:
                image = self._transport.image(message, topic)
            except InputError as error:
                self._pairing.drop(view)
                self._pair = None
                self._problems[topic] = str(error)
                raise
            shot = Shot(view, nanoseconds(message.header.stamp), message.header.frame_id, image)
            if self._pairing.is_late(shot):
                self._late[view] = (
                    f"{topic} of {seconds_text(shot.stamp_ns)} is older than an image that came before it"
                )
                raise LateImage(f"{self._late[view]}; it is left out.")
            self._late.pop(view, None)
            self._problems.pop(topic, None)
            self._seen.add(self._transport.topic(view))
            self._pair = self._pairing.add(shot) or self._pair
            self._image_stamps_ns[view].append(shot.stamp_ns)
            self._compare_stamps(view)
            return shot

    def add_info(self, view: str, message: Message, topic: str) -> None:
        """Take a sensor_msgs/CameraInfo.

        Raises:
            InputError: it cannot be used; names ``topic``.
        """
        with self._lock:
            self._lock.notify_all()
            infos = self._infos[view]
            try:
                camera = camera_from_info(message, topic, self._intensity)
            except InputError as error:
                infos.clear()
                self._problems[topic] = str(error)
                raise
            self._problems.pop(topic, None)
            self._seen.add(info_topic(view))
            stamp_ns = nanoseconds(message.header.stamp)
            infos[stamp_ns] = _Info(message.header.frame_id, camera)
            infos.move_to_end(stamp_ns)
            self._compare_stamps(view)
            self._forget_infos(view)

    @property
    def latest_stamps_ns(self) -> tuple[int, int] | None:
        """Stamps of the latest AP and lateral image that are a pair, whether or not it can be used; None without."""
        with self._lock:
            return None if self._pair is None else (self._pair.ap.stamp_ns, self._pair.lateral.stamp_ns)

    def latest(self) -> Acquisition:
        """The latest pair.

        Raises:
            NoPairYet: something is still to come.
            InputError: the latest image or camera_info of a view cannot be used, or the two do not fit each other.
        """
        with self._lock:
            return self._latest()

    @property
    def missing(self) -> str:
        """What an image that is newer than the latest pair waits for, a clause; empty where there is none."""
        with self._lock:
            return self._pairing.missing

    def whole(self, timeout_s: float, cancelled: threading.Event) -> Acquisition:
        """The latest pair, once it is of the newest images that have come: an earlier one must not pass for what is
        still on its way.

        Args:
            timeout_s: how long to wait for the rest of these images.
            cancelled: ends the wait.

        Raises:
            NoPairYet: it did not come.
            InputError: as ``latest``.
        """
        deadline = time.monotonic() + timeout_s
        with self._lock:
            while True:
                try:
                    acquisition = self._latest()
                    if not (missing := self._pairing.missing or next(iter(self._late.values()), "")):
                        return acquisition
                    waiting = NoPairYet(f"the latest X-rays are no pair: {missing}.")
                except NoPairYet as error:
                    waiting = error
                remaining_s = deadline - time.monotonic()
                has_begun = any(self._image_stamps_ns.values())
                if not has_begun or remaining_s <= 0 or cancelled.is_set():
                    raise waiting
                self._lock.wait(min(remaining_s, _CANCEL_S))

    def _latest(self) -> Acquisition:
        if self._problems:
            raise InputError(next(iter(self._problems.values())))
        topics = [topic for view in VIEWS for topic in (self._transport.topic(view), info_topic(view))]
        if unseen := [topic for topic in topics if topic not in self._seen]:
            raise NoPairYet(f"there is no pair of X-rays yet: nothing has come on {', '.join(unseen)}.")
        if self._pair is None:
            missing = self._pairing.missing or "no new images have come"
            raise NoPairYet(f"there is no pair of X-rays yet: {missing}.")
        shots = {view: self._pair.of(view) for view in VIEWS}
        infos = {view: self._info_of(shot) for view, shot in shots.items()}
        return Acquisition(
            stamp_ns=self._pair.stamp_ns,
            images={view: shot.image for view, shot in shots.items()},
            cameras={view: info.camera for view, info in infos.items()},
            frames={view: info.frame for view, info in infos.items()},
            stamps_ns={view: shot.stamp_ns for view, shot in shots.items()},
        )

    def _compare_stamps(self, view: str) -> None:
        if not self._infos[view].keys().isdisjoint(self._image_stamps_ns[view]):
            self._stamped_alike.add(view)

    def _forget_infos(self, view: str) -> None:
        """Drop the oldest ones, but none of an image that is still here: camera_info may come without images."""
        infos = self._infos[view]
        needed = set(self._image_stamps_ns[view])
        if self._pair is not None:
            needed.update((self._pair.ap.stamp_ns, self._pair.lateral.stamp_ns))
        old = [stamp_ns for stamp_ns in infos if stamp_ns not in needed]
        for stamp_ns in old[:-_KEPT_INFOS]:
            del infos[stamp_ns]

    def _info_of(self, shot: Shot) -> _Info:
        infos = self._infos[shot.view]
        info = infos.get(shot.stamp_ns)
        if info is None:
            if shot.view in self._stamped_alike:
                raise NoPairYet(
                    f"there is no pair of X-rays yet: {shot.view}/camera_info has not come with the stamp"
                    f" {seconds_text(shot.stamp_ns)} of its image."
                )
            info = next(reversed(infos.values()))
        image = shot.image
        if (image.width, image.height) != (info.camera.width, info.camera.height):
            raise InputError(
                f"{shot.view}/image is {image.width}x{image.height} pixels, but {info.camera.name} says"
                f" {info.camera.width}x{info.camera.height}; publish the camera_info of this image."
            )
        if shot.frame != info.frame:
            raise InputError(
                f"{shot.view}/image has the frame_id {shot.frame}, but {info.camera.name} has {info.frame};"
                " both must name the view's optical frame."
            )
        return info
