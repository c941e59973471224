"""``/tf`` and ``/tf_static`` of a whole recording, for lookups that know what came later."""

import math
from collections.abc import Callable, Collection, Iterable

import numpy as np
from numpy.typing import NDArray

from radgs_core.acquisition.recorded_runs import RecordedRuns
from radgs_core.acquisition.rigidity_check import RigidityCheck, rigid_matrix
from radgs_core.acquisition.tf_tree import Sample, TransformTree
from radgs_core.errors import InputError
from radgs_core.messages.factory import Message
from radgs_core.messages.stamps import nanoseconds

THIN_FROM = 4096
"""Samples that come before it is looked which of them are needed: some 1.2 MB."""


class RecordedTransforms:
    """Takes a recording twice, each time in the order in which it was received.

    First, when it knows which stamps it will be asked for (``want``), ``foresee...`` all of it: moving frames are known
    over their whole history, and a static frame that comes late counts from the beginning. Then ``reach`` and
    ``take_static`` go along with what is looked up: a static frame that is sent anew counts from then on, and a stamp
    is looked up in the run that it belongs to.

    What is kept of moving frames grows with the number of these stamps, not with the length of the recording nor with
    how often frames are sent: the samples next to each.
    """

    def __init__(self, ignored: Collection[str], report: Callable[[str], object]) -> None:
        """
        Args:
            ignored: frames whose stamps say nothing of the time that it is, such as those of results.
            report: told every transform that is refused, one sentence each.
        """
        self._wanted_ns = np.empty(0, dtype=np.int64)
        self._ignored = set(ignored)
        self._report = report
        self._check = RigidityCheck(report)
        self._runs = RecordedRuns()
        self._trees = [_new_tree()]
        self._current = 0
        self._unthinned = 0
        self._thin_at = THIN_FROM
        self._static: dict[str, tuple[str, NDArray[np.float64]]] = {}

    def want(self, stamps_ns: Iterable[int]) -> None:
        """All stamps that will be looked up, in nanoseconds, in any order; before anything is foreseen."""
        self._wanted_ns = np.unique(np.fromiter(stamps_ns, dtype=np.int64))

    def foresee_moving(self, message: Message, received_ns: int) -> None:
        """A TFMessage of ``/tf``."""
        for transform in message.transforms:
            parent, child = transform.header.frame_id, transform.child_frame_id.lstrip("/")
            stamp_ns = nanoseconds(transform.header.stamp)
            if child not in self._ignored:
                self._runs.take_frame(child, stamp_ns, received_ns)
                self._keep_up()
            if self._runs.is_outdated(stamp_ns, received_ns):
                continue
            try:
                self._insert(parent, child, stamp_ns, self._sample(transform))
            except InputError as error:
                self._report(str(error))

    def foresee_static(self, message: Message) -> None:
        """A TFMessage of ``/tf_static``."""
        for transform in message.transforms:
            child = transform.child_frame_id.lstrip("/")
            try:
                self._static.setdefault(child, (transform.header.frame_id, rigid_matrix(transform)))
            except InputError:
                continue  # reported when it is reached

    def foresee_clock(self, message: Message, received_ns: int) -> None:
        """A Clock."""
        self._runs.take_clock(nanoseconds(message.clock), received_ns)
        self._keep_up()

    def begin(self) -> None:
        """All is foreseen; the recording is now gone through again."""
        self._thin()
        self._set_static()

    def reach(self, received_ns: int) -> bool:
        """Go on to what was received at this time; whether time has jumped back since the last call."""
        run = self._runs.at(received_ns)
        if run == self._current:
            return False
        self._current = run
        self._set_static()
        return True

    def is_outdated(self, stamp_ns: int, received_ns: int) -> bool:
        """Whether a message was sent before the run in which it was received."""
        return self._runs.is_outdated(stamp_ns, received_ns)

    def take_static(self, message: Message) -> None:
        """A TFMessage of ``/tf_static`` that is reached."""
        tree = self._trees[self._current]
        for transform in message.transforms:
            parent, child = transform.header.frame_id, transform.child_frame_id.lstrip("/")
            matrix = self._check.matrix(transform)
            if matrix is None:
                continue  # the check keeps the frame from being looked up
            try:
                tree.insert_static(parent, child, matrix)
            except InputError as error:
                self._report(str(error))
            else:
                self._static[child] = (parent, matrix)

    def lookup(self, target: str, source: str, stamp_ns: int) -> NDArray[np.float64]:
        """``T_target_source`` (4, 4), mm, at a wanted stamp of the run that is reached.

        Raises:
            TransformUnavailable: it was not recorded; the sentence says what is missing.
            InputError: what was recorded is not a rigid transform.
            ValueError: nobody said that this stamp would be looked up; what is needed for it may be forgotten.
        """
        if not self._is_wanted(stamp_ns):
            raise ValueError(f"{stamp_ns} ns is none of the stamps that were to be looked up")
        self._check.explain(target, source)
        return self._trees[self._current].lookup(target, source, stamp_ns)

    def _insert(self, parent: str, child: str, stamp_ns: int, sample: Sample) -> None:
        self._trees[-1].insert(parent, child, stamp_ns, sample)
        self._unthinned += 1
        if self._unthinned >= self._thin_at:
            self._thin()

    def _thin(self) -> None:
        """Forget samples of the last run that will not be needed."""
        tree = self._trees[-1]
        tree.thin(self._wanted_ns)
        self._unthinned = 0
        # as many as are kept: looking through all of them takes time in proportion to what has come
        self._thin_at = max(THIN_FROM, tree.sample_count)

    def _is_wanted(self, stamp_ns: int) -> bool:
        index = int(np.searchsorted(self._wanted_ns, stamp_ns))
        return index < len(self._wanted_ns) and int(self._wanted_ns[index]) == stamp_ns

    def _sample(self, transform: Message) -> Sample:
        try:
            return rigid_matrix(transform)
        except InputError as error:
            self._report(str(error))
            return error

    def _keep_up(self) -> None:
        """Give a run that has begun a tree of its own."""
        while len(self._trees) < self._runs.count:
            self._thin()
            self._trees.append(_new_tree())

    def _set_static(self) -> None:
        for child, (parent, matrix) in self._static.items():
            try:
                self._trees[self._current].insert_static(parent, child, matrix)
            except InputError as error:
                self._report(str(error))


def _new_tree() -> TransformTree:
    """Of a run: it forgets nothing by itself."""
    return TransformTree(math.inf)
