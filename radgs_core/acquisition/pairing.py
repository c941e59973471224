"""Which AP and which lateral X-ray belong together."""

from collections import deque
from dataclasses import dataclass

from numpy.typing import NDArray

from radgs_core.geometry.camera import VIEW_NAMES

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
        pixels: (height, width) uint8, uint16 or float32.
    """

    view: str
    stamp_ns: int
    frame: str
    pixels: NDArray


@dataclass(frozen=True)
class ShotPair:
    """An AP and a lateral X-ray of one state of the spine."""

    ap: Shot
    lateral: Shot

    @property
    def stamp_ns(self) -> int:
        """Time of acquisition of the pair: that of its later image."""
        return max(self.ap.stamp_ns, self.lateral.stamp_ns)


class ApproximatePairing:
    """For biplanar systems: images whose stamps differ by at most ``slop_s``; each image is used once.

    No pair has an older image than the pair before it. ``slop_s`` may be set anew at any time, for the images that come
    then.
    """

    def __init__(self, slop_s: float) -> None:
        self.slop_s = slop_s
        self._waiting: dict[str, deque[Shot]] = {view: deque(maxlen=_KEPT) for view in VIEWS}
        self._paired_ns: dict[str, int] = {}

    def is_late(self, shot: Shot) -> bool:
        """Whether a newer image of the view was in a pair already: networks reorder."""
        return shot.stamp_ns < self._paired_ns.get(shot.view, shot.stamp_ns)

    def add(self, shot: Shot) -> ShotPair | None:
        """The pair that ``shot``, which is not late, completes, if it does. Images before either of the two are
        dropped."""
        other_view = _other(shot.view)
        partner = min(self._waiting[other_view], key=lambda other: abs(other.stamp_ns - shot.stamp_ns), default=None)
        if partner is None or abs(partner.stamp_ns - shot.stamp_ns) > round(self.slop_s * 1e9):
            self._waiting[shot.view].append(shot)
            return None
        for used in (shot, partner):
            self._paired_ns[used.view] = used.stamp_ns
            later = [other for other in self._waiting[used.view] if other.stamp_ns > used.stamp_ns]
            self._waiting[used.view] = deque(later, maxlen=_KEPT)
        return _pair(shot, partner)

    def drop(self, view: str) -> None:
        """Forget the images of a view."""
        self._waiting[view].clear()


class LatestPairing:
    """For one C-arm that is turned between shots: the latest image of each view, by their stamps."""

    def __init__(self) -> None:
        self._latest: dict[str, Shot] = {}
        self._newest_ns: dict[str, int] = {}

    def is_late(self, shot: Shot) -> bool:
        """Whether a newer image of the view has come already: networks reorder."""
        return shot.stamp_ns < self._newest_ns.get(shot.view, shot.stamp_ns)

    def add(self, shot: Shot) -> ShotPair | None:
        """The pair of ``shot``, which is not late, and the other view's latest image, if there is one."""
        self._latest[shot.view] = shot
        self._newest_ns[shot.view] = shot.stamp_ns
        partner = self._latest.get(_other(shot.view))
        return None if partner is None else _pair(shot, partner)

    def drop(self, view: str) -> None:
        """Forget the image of a view; images older than that stay late."""
        self._latest.pop(view, None)


def _other(view: str) -> str:
    return VIEWS[1 - VIEWS.index(view)]


def _pair(one: Shot, other: Shot) -> ShotPair:
    return ShotPair(one, other) if one.view == "ap" else ShotPair(other, one)
