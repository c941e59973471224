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

    ``slop_s`` may be set anew at any time, for the images that come then.
    """

    def __init__(self, slop_s: float) -> None:
        self.slop_s = slop_s
        self._waiting: dict[str, deque[Shot]] = {view: deque(maxlen=_KEPT) for view in VIEWS}

    def add(self, shot: Shot) -> ShotPair | None:
        """The pair that ``shot`` completes, if it does. Images that came before either of the two are dropped."""
        other_view = _other(shot.view)
        partner = min(self._waiting[other_view], key=lambda other: abs(other.stamp_ns - shot.stamp_ns), default=None)
        if partner is None or abs(partner.stamp_ns - shot.stamp_ns) > round(self.slop_s * 1e9):
            self._waiting[shot.view].append(shot)
            return None
        self._waiting[shot.view].clear()
        while self._waiting[other_view].popleft() is not partner:
            pass
        return _pair(shot, partner)

    def drop(self, view: str) -> None:
        """Forget the images of a view."""
        self._waiting[view].clear()


class LatestPairing:
    """For one C-arm that is turned between shots: the latest image of each view."""

    def __init__(self) -> None:
        self._latest: dict[str, Shot] = {}

    def add(self, shot: Shot) -> ShotPair | None:
        """The pair of ``shot`` and the other view's latest image, if there is one."""
        self._latest[shot.view] = shot
        partner = self._latest.get(_other(shot.view))
        return None if partner is None else _pair(shot, partner)

    def drop(self, view: str) -> None:
        """Forget the image of a view."""
        self._latest.pop(view, None)


def _other(view: str) -> str:
    return VIEWS[1 - VIEWS.index(view)]


def _pair(one: Shot, other: Shot) -> ShotPair:
    return ShotPair(one, other) if one.view == "ap" else ShotPair(other, one)
