"""Where each view was when its image was taken."""

import threading
from collections import OrderedDict
from functools import partial

import numpy as np
from numpy.typing import NDArray

from radgs_core.acquisition.pairing import VIEWS, Shot
from radgs_core.registration.pipeline import InputError
from radgs_reg_ros.tf_buffer import TfBuffer
from radgs_reg_ros.worker import LatestJobWorker

_KEPT = 16
"""Placed shots kept per view: more than an inbox holds back for pairing."""


class ShotPlacer:
    """Looks a shot's transform up as soon as the shot has come, in a thread per view.

    TF remembers seconds, but between the shots of a C-arm that is turned by hand minutes pass, and a pair may have to
    wait while another is registered.
    """

    def __init__(self, reference: str, tf_buffer: TfBuffer, timeout_s: float) -> None:
        """``timeout_s``: how long to wait for the transform of a shot; may be set anew at any time."""
        self._reference = reference
        self._tf_buffer = tf_buffer
        self.timeout_s = timeout_s
        self._lock = threading.Lock()
        self._placed: dict[str, OrderedDict[tuple[str, int], NDArray[np.float64]]] = {
            view: OrderedDict() for view in VIEWS
        }
        self._workers = {view: LatestJobWorker(f"{view} transform", partial(self._place, view)) for view in VIEWS}

    def expect(self, shot: Shot) -> None:
        """Place this shot; returns at once. A shot that a newer one overtakes is placed when it is asked for."""
        self._workers[shot.view].submit(shot)

    def placed(self, view: str, frame: str, stamp_ns: int) -> NDArray[np.float64] | None:
        """``T_reference_camera`` (4, 4), mm, if it is known already."""
        with self._lock:
            return self._placed[view].get((frame, stamp_ns))

    def place(self, view: str, frame: str, stamp_ns: int) -> NDArray[np.float64]:
        """``T_reference_camera`` (4, 4), mm; waits for it. Not to be called from a callback.

        Raises:
            InputError: as ``TfBuffer.lookup``.
        """
        known = self.placed(view, frame, stamp_ns)
        if known is not None:
            return known
        matrix = self._tf_buffer.lookup(self._reference, frame, stamp_ns, self.timeout_s)
        with self._lock:
            placed = self._placed[view]
            placed[frame, stamp_ns] = matrix
            while len(placed) > _KEPT:
                placed.popitem(last=False)
        return matrix

    def close(self) -> None:
        """End the threads; one that waits for a transform ends when that times out."""
        for worker in self._workers.values():
            worker.stop(0.0)

    def _place(self, view: str, shot: Shot, _cancelled: threading.Event) -> bool:
        try:
            self.place(view, shot.frame, shot.stamp_ns)
        except InputError:
            return False  # whoever asks for it later gets the reason
        return True
