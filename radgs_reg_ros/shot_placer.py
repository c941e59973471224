"""Where each view was when its image was taken."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from radgs_core.acquisition.pairing import VIEWS, Shot
from radgs_reg_ros.tf_buffer import NEVER, TfBuffer
from radgs_reg_ros.worker import JobCancelled, LatestJobWorker

_KEPT = 16
"""Placed shots kept per view: more than an inbox holds back for pairing."""


class ShotPlacer:
    """Looks a shot's transform up as soon as the shot has come, in a thread per view.

    TF remembers seconds, but between the shots of a C-arm that is turned by hand minutes pass, and a pair may have to
    wait while another is registered.
    """

    def __init__(
        self, reference: str, tf_buffer: TfBuffer, timeout_s: float, tell: Callable[[Shot, Exception | None], object]
    ) -> None:
        """
        Args:
            reference: frame that views are placed in.
            tf_buffer: knows the transforms.
            timeout_s: how long to wait for the transform of a shot; may be set anew at any time.
            tell: told of expected shots, from threads of this class, why they have no place yet: InputError, or what
                was not expected; None of those that have. Must not call this object.
        """
        self._reference = reference
        self._tf_buffer = tf_buffer
        self.timeout_s = timeout_s
        self._tell = tell
        self._lock = threading.Lock()
        self._placed = _nothing_placed()
        self._workers = {view: LatestJobWorker(f"{view} transform", partial(self._place, view)) for view in VIEWS}

    def expect(self, shot: Shot) -> None:
        """Place this shot; returns at once. A shot that a newer one overtakes is placed when it is asked for."""
        self._workers[shot.view].submit(shot)

    def placed(self, view: str, frame: str, stamp_ns: int) -> NDArray[np.float64] | None:
        """``T_reference_camera`` (4, 4), mm, if it is known already."""
        with self._lock:
            return self._placed[view].get((frame, stamp_ns))

    def place(self, view: str, frame: str, stamp_ns: int, cancelled: threading.Event = NEVER) -> NDArray[np.float64]:
        """``T_reference_camera`` (4, 4), mm; waits for it. Not to be called from a callback.

        Raises:
            JobCancelled, InputError: as ``TfBuffer.lookup``.
        """
        with self._lock:
            placed = self._placed[view]
            known = placed.get((frame, stamp_ns))
        if known is not None:
            return known
        matrix = self._tf_buffer.lookup(self._reference, frame, stamp_ns, self.timeout_s, cancelled)
        with self._lock:
            placed[frame, stamp_ns] = matrix  # lost if all was forgotten meanwhile
            while len(placed) > _KEPT:
                placed.popitem(last=False)
        return matrix

    def forget(self) -> None:
        """Forget all places, and those that are being looked up, of which nothing is told any more."""
        with self._lock:
            self._placed = _nothing_placed()
            for worker in self._workers.values():
                worker.cancel("its place is forgotten")

    def close(self) -> None:
        """End the threads; one that waits for a transform ends soon after."""
        for worker in self._workers.values():
            worker.stop(0.0)

    def _place(self, view: str, shot: Shot, cancelled: threading.Event) -> None:
        problem = None
        try:
            self.place(view, shot.frame, shot.stamp_ns, cancelled)
        except JobCancelled:
            raise
        except Exception as error:  # whoever asks for the place later gets it, unless the transform has come by then
            problem = error
        with self._lock:
            if not cancelled.is_set():
                self._tell(shot, problem)


def _nothing_placed() -> dict[str, OrderedDict[tuple[str, int], NDArray[np.float64]]]:
    """By view, matrices by frame and stamp."""
    return {view: OrderedDict() for view in VIEWS}
