"""A tree of coordinate frames whose edges are static or sampled in time."""

import bisect
import math
from dataclasses import dataclass, field
from itertools import compress
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation, Slerp

from radgs_core.errors import InputError
from radgs_core.geometry.rigid import inverse
from radgs_core.messages.stamps import NS_PER_S, seconds_text

Sample: TypeAlias = NDArray[np.float64] | InputError
"""A rigid transform (4, 4), mm, or why it was refused: lookups that would need it end with that."""


class TransformUnavailable(InputError):
    """No transform between two frames at a stamp: unknown frames, two separate trees, or outside the recorded time."""


@dataclass(frozen=True)
class _StaticEdge:
    """A frame's transform to its parent, at any stamp."""

    parent: str
    matrix: NDArray[np.float64]


@dataclass
class _MovingEdge:
    """A frame's transforms to its parent, in order of time."""

    parent: str
    stamps_ns: list[int] = field(default_factory=list)
    matrices: list[Sample] = field(default_factory=list)


CACHE_S = 10.0
"""How long TF remembers: tf2's own default."""


class TransformTree:
    """Transforms by parent and child, looked up at a stamp through the whole tree.

    Between two samples of an edge the translation is interpolated linearly and the rotation along the shortest arc.
    Nothing is extrapolated. A frame has one parent: a sample with another parent replaces the frame's history.
    """

    def __init__(self, cache_s: float = CACHE_S) -> None:
        """``cache_s``: samples older than this, counted from the newest one of the same edge, are forgotten."""
        self._cache_ns = math.inf if math.isinf(cache_s) else round(cache_s * NS_PER_S)
        self._edges: dict[str, _StaticEdge | _MovingEdge] = {}

    def insert(self, parent: str, child: str, stamp_ns: int, sample: Sample) -> None:
        """Add ``T_parent_child`` of a moving frame.

        Raises:
            InputError: a frame without a name, or a frame that would be its own parent.
        """
        parent, child = _checked_names(parent, child)
        edge = self._edges.get(child)
        if not isinstance(edge, _MovingEdge) or edge.parent != parent:
            edge = self._edges[child] = _MovingEdge(parent)
        index = bisect.bisect_left(edge.stamps_ns, stamp_ns)
        if index < len(edge.stamps_ns) and edge.stamps_ns[index] == stamp_ns:
            edge.matrices[index] = sample
            return
        edge.stamps_ns.insert(index, stamp_ns)
        edge.matrices.insert(index, sample)
        expired = bisect.bisect_left(edge.stamps_ns, edge.stamps_ns[-1] - self._cache_ns)
        del edge.stamps_ns[:expired], edge.matrices[:expired]

    def insert_static(self, parent: str, child: str, T_parent_child: NDArray[np.float64]) -> None:
        """Set a transform that holds at any stamp, (4, 4), mm; it replaces all that was known of ``child``.

        Raises:
            InputError: as ``insert``.
        """
        parent, child = _checked_names(parent, child)
        self._edges[child] = _StaticEdge(parent, T_parent_child)

    @property
    def sample_count(self) -> int:
        """Samples in time that are kept."""
        return sum(len(edge.stamps_ns) for edge in self._edges.values() if isinstance(edge, _MovingEdge))

    def thin(self, wanted_ns: NDArray[np.int64]) -> None:
        """Forget the samples that no lookup at one of these stamps, ascending, needs; nor will once more have come.

        Of each edge the last sample before a stamp and the first after it are kept, and the first and the last of all:
        between these two lies what is known.
        """
        for edge in self._edges.values():
            if isinstance(edge, _MovingEdge):
                stamps_ns = np.array(edge.stamps_ns, dtype=np.int64)
                earlier = np.searchsorted(wanted_ns, stamps_ns, "left")
                not_later = np.searchsorted(wanted_ns, stamps_ns, "right")
                is_needed = np.ones(len(stamps_ns), dtype=bool)
                # a stamp in [this, next), or one in (previous, this]
                is_needed[1:-1] = (earlier[2:] > earlier[1:-1]) | (not_later[1:-1] > not_later[:-2])
                edge.stamps_ns = list(compress(edge.stamps_ns, is_needed))
                edge.matrices = list(compress(edge.matrices, is_needed))

    def forget(self, child: str) -> None:
        """Drop all that is known of a frame's transform to its parent, static or sampled."""
        self._edges.pop(child.lstrip("/"), None)

    def forget_moving(self) -> None:
        """Drop all samples in time; static transforms stay."""
        self._edges = {child: edge for child, edge in self._edges.items() if isinstance(edge, _StaticEdge)}

    def lookup(self, target: str, source: str, stamp_ns: int) -> NDArray[np.float64]:
        """``T_target_source`` (4, 4), mm, at a stamp.

        Raises:
            TransformUnavailable: see there.
            InputError: a sample that is needed was refused.
        """
        target, source = target.lstrip("/"), source.lstrip("/")
        up_from_source = self._ancestors(source)
        up_from_target = self._ancestors(target)
        common = next((frame for frame in up_from_source if frame in up_from_target), None)
        if common is None:
            unknown = [frame for frame in (target, source) if not self._is_known(frame)]
            raise TransformUnavailable(
                f"there is no transform {target} <- {source} on /tf or /tf_static"
                + (f": nobody publishes {' or '.join(unknown)}." if unknown else ": the two are in separate trees.")
            )
        T_common_source = self._up(up_from_source[: up_from_source.index(common)], stamp_ns)
        T_common_target = self._up(up_from_target[: up_from_target.index(common)], stamp_ns)
        return inverse(T_common_target) @ T_common_source

    def _is_known(self, frame: str) -> bool:
        return frame in self._edges or any(edge.parent == frame for edge in self._edges.values())

    def _ancestors(self, frame: str) -> list[str]:
        """The frame, its parent, ... up to the root."""
        chain = [frame]
        while (edge := self._edges.get(chain[-1])) is not None:
            if edge.parent in chain:
                raise TransformUnavailable(f"the frames {' -> '.join([*chain, edge.parent])} form a loop.")
            chain.append(edge.parent)
        return chain

    def _up(self, frames: list[str], stamp_ns: int) -> NDArray[np.float64]:
        """Transform of the first of ``frames``, each the child of the next, into the parent of the last."""
        matrix = np.eye(4)
        for frame in frames:
            matrix = self._sample(frame, stamp_ns) @ matrix
        return matrix

    def _sample(self, child: str, stamp_ns: int) -> NDArray[np.float64]:
        """Transform of a frame into its parent."""
        edge = self._edges[child]
        if isinstance(edge, _StaticEdge):
            return edge.matrix
        if edge.stamps_ns[-1] - stamp_ns > self._cache_ns:
            raise TransformUnavailable(forgotten_sentence(edge.parent, child, stamp_ns, self._cache_ns / NS_PER_S))
        return _between(edge, child, stamp_ns)


def forgotten_sentence(parent: str, child: str, stamp_ns: int, cache_s: float = CACHE_S) -> str:
    """Of a stamp that TF's memory has passed: it helps no more to publish the transform."""
    return (
        f"the transform {parent} <- {child} is needed at {seconds_text(stamp_ns)}, but what is older than {cache_s:g} s"
        " TF forgets; take the X-rays, or send the initialpose, anew."
    )


def _checked_names(parent: str, child: str) -> tuple[str, str]:
    parent, child = parent.lstrip("/"), child.lstrip("/")
    if not parent or not child:
        raise InputError(f"the transform {parent!r} -> {child!r} lacks the name of a frame.")
    if parent == child:
        raise InputError(f"the frame {child} cannot be its own parent.")
    return parent, child


def _between(edge: _MovingEdge, child: str, stamp_ns: int) -> NDArray[np.float64]:
    """A sample, or what lies between two."""
    after = bisect.bisect_left(edge.stamps_ns, stamp_ns)
    if after < len(edge.stamps_ns) and edge.stamps_ns[after] == stamp_ns:
        return _usable(edge.matrices[after])
    if after in (0, len(edge.stamps_ns)):
        raise TransformUnavailable(
            f"the transform {edge.parent} <- {child} is known from {seconds_text(edge.stamps_ns[0])} to"
            f" {seconds_text(edge.stamps_ns[-1])}, but is needed at {seconds_text(stamp_ns)};"
            " publish it at the image's stamp."
        )
    before = after - 1
    begin_ns, end_ns = edge.stamps_ns[before], edge.stamps_ns[after]
    fraction = (stamp_ns - begin_ns) / (end_ns - begin_ns)
    begin, end = _usable(edge.matrices[before]), _usable(edge.matrices[after])
    matrix = np.eye(4)
    matrix[:3, :3] = Slerp([0, 1], Rotation.from_matrix([begin[:3, :3], end[:3, :3]]))(fraction).as_matrix()
    matrix[:3, 3] = (1 - fraction) * begin[:3, 3] + fraction * end[:3, 3]
    return matrix


def _usable(sample: Sample) -> NDArray[np.float64]:
    if isinstance(sample, InputError):
        raise InputError(str(sample))
    return sample
