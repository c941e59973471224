"""Which AP and which lateral X-ray belong together."""

from collections import deque
from dataclasses import dataclass
from typing import TypeAlias

from radgs_core.geometry.camera import VIEW_NAMES
from radgs_core.messages.received_image import ReceivedImage
from radgs_core.messages.stamps import NS_PER_S, seconds_text

VIEWS = VIEW_NAMES
_KEPT = 8
"""Unpaired images kept per view: enough for two streams that are some frames apart, and a bound on memory."""


@dataclass(frozen=True)
class Shot:
    """One X-ray as it came.

    Attributes:
        view: ``ap`` or ``lateral``.
        stamp_ns: time of acquisition.
        frame: the view's optical frame.
        image: its pixels.
    """

    view: str
    stamp_ns: int
    frame: str
    image: ReceivedImage


@dataclass(frozen=True)
class ShotPair:
    """An AP and a lateral X-ray of one state of the spine."""

    ap: Shot
    lateral: Shot

    @property
    def stamp_ns(self) -> int:
        """Time of acquisition of the pair: that of its later image."""
        return max(self.ap.stamp_ns, self.lateral.stamp_ns)

    @property
    def apart_ns(self) -> int:
        """How far apart its images were taken."""
        return abs(self.ap.stamp_ns - self.lateral.stamp_ns)

    def of(self, view: str) -> Shot:
        """Its image of a view."""
        return self.ap if view == "ap" else self.lateral


class ApproximatePairing:
    """For biplanar systems: images whose stamps differ by at most ``slop_s``.

    An image is in a second pair only if the partner that comes is closer than the one it had: where an image is lost,
    its partner may have been taken by the next one, whose own is still to come. No pair has an older image than the
    pair before it. ``slop_s`` may be set anew at any time, for the images that come then.
    """

    def __init__(self, slop_s: float) -> None:
        self.slop_s = slop_s
        self._waiting: dict[str, deque[Shot]] = {view: deque(maxlen=_KEPT) for view in VIEWS}
        self._last: ShotPair | None = None

    def is_late(self, shot: Shot) -> bool:
        """Whether a newer image of the view was in a pair already: networks reorder."""
        return self._last is not None and shot.stamp_ns < self._last.of(shot.view).stamp_ns

    def add(self, shot: Shot) -> ShotPair | None:
        """The pair that ``shot``, which is not late, completes, if it does. Images before either of the two are
        dropped."""
        if self._last is not None and shot.stamp_ns == self._last.of(shot.view).stamp_ns:
            return None  # networks repeat
        other_view = _other(shot.view)
        pairs = [_pair(shot, other) for other in self._waiting[other_view]]
        if self._last is not None:
            closer = _pair(shot, self._last.of(other_view))
            if closer.apart_ns < self._last.apart_ns:
                pairs.append(closer)
        best = min(pairs, key=lambda pair: pair.apart_ns, default=None)
        if best is None or best.apart_ns > round(self.slop_s * NS_PER_S):
            others = [one for one in self._waiting[shot.view] if one.stamp_ns != shot.stamp_ns]
            self._keep(shot.view, [*others, shot])
            return None
        self._last = best
        for view in VIEWS:
            self._keep(view, [one for one in self._waiting[view] if one.stamp_ns > best.of(view).stamp_ns])
        return best

    def drop(self, view: str) -> None:
        """Forget the images of a view that wait."""
        self._waiting[view].clear()

    @property
    def missing(self) -> str:
        """What the newest image waits for, a clause; empty where it waits for nothing."""
        waiting = [shot for shots in self._waiting.values() for shot in shots]
        if not waiting:
            return ""
        newest = max(waiting, key=lambda shot: shot.stamp_ns)
        return (
            f"no {_other(newest.view)}/image has come within sync_slop_s of {newest.view}/image of"
            f" {seconds_text(newest.stamp_ns)}"
        )

    def _keep(self, view: str, shots: list[Shot]) -> None:
        self._waiting[view] = deque(shots, maxlen=_KEPT)


class LatestPairing:
    """For one C-arm that is turned between shots: the latest image of each view, by their stamps, taken at most
    ``max_age_s`` apart.

    ``max_age_s`` may be set anew at any time, for the images that come then.
    """

    def __init__(self, max_age_s: float) -> None:
        self.max_age_s = max_age_s
        self._latest: dict[str, Shot] = {}
        self._newest_ns: dict[str, int] = {}

    def is_late(self, shot: Shot) -> bool:
        """Whether a newer image of the view has come already: networks reorder."""
        return shot.stamp_ns < self._newest_ns.get(shot.view, shot.stamp_ns)

    def add(self, shot: Shot) -> ShotPair | None:
        """The pair of ``shot``, which is not late, and the other view's latest image, if they are one."""
        self._latest[shot.view] = shot
        self._newest_ns[shot.view] = shot.stamp_ns
        return None if self.missing else ShotPair(self._latest["ap"], self._latest["lateral"])

    def drop(self, view: str) -> None:
        """Forget the image of a view; images older than that stay late."""
        self._latest.pop(view, None)

    @property
    def missing(self) -> str:
        """What the newest image waits for, a clause; empty where it waits for nothing."""
        if not self._latest:
            return ""
        newest = max(self._latest.values(), key=lambda shot: shot.stamp_ns)
        other = self._latest.get(_other(newest.view))
        if other is None:
            stamp = seconds_text(newest.stamp_ns)
            return f"no {_other(newest.view)}/image has come for {newest.view}/image of {stamp}"
        if newest.stamp_ns - other.stamp_ns > round(self.max_age_s * NS_PER_S):
            return (
                f"{other.view}/image of {seconds_text(other.stamp_ns)} is more than sync_max_age_s older than"
                f" {newest.view}/image of {seconds_text(newest.stamp_ns)}"
            )
        return ""


Pairing: TypeAlias = ApproximatePairing | LatestPairing


def pairing_of(sync_mode: str, slop_s: float, max_age_s: float) -> Pairing:
    """That of a ``sync_mode``, ``approximate`` or ``latest``, without images."""
    return LatestPairing(max_age_s) if sync_mode == "latest" else ApproximatePairing(slop_s)


def _other(view: str) -> str:
    return VIEWS[1 - VIEWS.index(view)]


def _pair(one: Shot, other: Shot) -> ShotPair:
    return ShotPair(one, other) if one.view == "ap" else ShotPair(other, one)
