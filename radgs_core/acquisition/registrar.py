"""From a pair of X-rays to poses: looks up the geometry, keeps the start, calls the core."""

import dataclasses
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from radgs_core.acquisition.xray_inbox import Acquisition
from radgs_core.errors import InputError
from radgs_core.geometry.camera import BiplanarGeometry
from radgs_core.messages.factory import Message
from radgs_core.messages.stamps import nanoseconds
from radgs_core.messages.transforms import matrix_from_pose
from radgs_core.progress import Progress
from radgs_core.registration.pipeline import SpineRegistration
from radgs_core.registration.result import RegistrationResult

Place: TypeAlias = Callable[[str, str, int], NDArray[np.float64]]
"""``T_reference_camera`` (4, 4), mm, of a view, its optical frame and its image's stamp in nanoseconds."""
Lookup: TypeAlias = Callable[[str, str, int], NDArray[np.float64]]
"""``T_target_source`` (4, 4), mm, of two frames, target first, at a stamp in nanoseconds."""

Publish: TypeAlias = Callable[[RegistrationResult], object]


@dataclass
class _GivenStart:
    """An initialpose: ``T_frame_ct`` at a stamp, and ``T_reference_ct`` once that is known for good."""

    frame: str
    stamp_ns: int
    T_frame_ct: NDArray[np.float64]
    T_reference_ct: NDArray[np.float64] | None = None

    @property
    def awaits_place(self) -> bool:
        """Whether it is to be placed at its own stamp, and is not yet."""
        return self.T_reference_ct is None and self.stamp_ns != 0


class Registrar:
    """Registers acquisitions.

    With an initialpose, each starts from the last one, or from the last result where that is newer. Without, networks
    of the case find the levels in every acquisition anew.

    Where the case has networks, a start says where the body is: once it is placed, they look for every level from
    there, whatever its own start. Where it has none, each level starts at its own pose.
    """

    def __init__(
        self, registration: SpineRegistration, levels: Sequence[str], reference: str, place: Place, lookup: Lookup
    ) -> None:
        """
        Args:
            registration: of the case.
            levels: which are reported.
            reference: frame that poses are expressed in.
            place: says where the views are; raises InputError where it cannot.
            lookup: for an initialpose in another frame than ``reference`` that has no place yet when a registration
                starts there; raises InputError likewise.
        """
        self._registration = registration
        self._levels = list(levels)
        self._reference = reference
        self._place = place
        self._lookup = lookup
        self._lock = threading.Lock()
        self._start: _GivenStart | Mapping[str, NDArray[np.float64]] | None = None

    @property
    def needs_start(self) -> bool:
        """Whether nothing can be registered before there is an initialpose, because the case has no networks."""
        return self._registration.needs_start

    def set_start(self, message: Message, topic: str) -> None:
        """Take a PoseWithCovarianceStamped: roughly where the CT's coordinates are, in any frame that TF knows.

        The covariance is not used. Call ``place_start`` next: the frame may move, and TF forgets where it was.

        Raises:
            InputError: no frame, or not a rigid transform.
        """
        if not message.header.frame_id:
            raise InputError(f"{topic}: header.frame_id is empty; set it to {self._reference} or another frame of TF.")
        start = _GivenStart(
            message.header.frame_id,
            nanoseconds(message.header.stamp),
            matrix_from_pose(message.pose.pose, f"{topic}: the pose"),
        )
        if start.frame.lstrip("/") == self._reference:
            start.T_reference_ct = start.T_frame_ct
        with self._lock:
            self._start = start

    def place_start(self, lookup: Lookup) -> str:
        """Look up where a stamped initialpose is in the reference frame, and keep that; may wait, as ``lookup`` does.

        One without a stamp is placed at the X-rays that are registered from it, not before.

        Returns:
            The frame of the one that was placed now; empty where none was to be placed.

        Raises:
            InputError: as ``lookup``; it is looked up again when a registration starts there.
        """
        with self._lock:
            start = self._start
        if not isinstance(start, _GivenStart) or not start.awaits_place:
            return ""
        start.T_reference_ct = self._looked_up(start, lookup, start.stamp_ns)
        return start.frame

    def drop_unplaced_start(self) -> bool:
        """Forget a stamped initialpose that has no place yet: where its frame was will not be known any more.

        Returns:
            Whether there was one.
        """
        with self._lock:
            if not isinstance(self._start, _GivenStart) or not self._start.awaits_place:
                return False
            self._start = None
            return True

    def set_start_poses(self, T_reference_ct: Mapping[str, NDArray[np.float64]]) -> None:
        """Start from poses (4, 4), mm, of all levels that are reported, as from an initialpose."""
        with self._lock:
            self._start = dict(T_reference_ct)

    def geometry(self, acquisition: Acquisition) -> BiplanarGeometry:
        """The views in the reference frame, each camera where it was at its own image's stamp.

        Raises:
            InputError: a transform is missing or not rigid, or the views do not fit together.
        """
        views = {}
        for view, camera in acquisition.cameras.items():
            T_reference_camera = self._place(view, acquisition.frames[view], acquisition.stamps_ns[view])
            views[view] = dataclasses.replace(camera, T_reference_camera=T_reference_camera)
        return BiplanarGeometry(self._reference, views)

    def register(
        self,
        acquisition: Acquisition,
        geometry: BiplanarGeometry,
        progress: Progress,
        publish: Publish = lambda result: None,
    ) -> RegistrationResult:
        """Register all levels; slow.

        Args:
            progress: called with a fraction and a message; what it raises ends the registration.
            publish: called with the result. What it raises ends the registration too, and the start stays where it was:
                nobody knows of a result that was not published.

        Raises:
            InputError: there is no start although one is needed, or images or geometry cannot be used.
        """
        with self._lock:
            start = self._start
        result = self._registration.register(
            {view: image.pixels().astype(np.float32) for view, image in acquisition.images.items()},
            geometry,
            self._initial(start, acquisition),
            levels=self._levels,
            progress=progress,
        )
        publish(result)
        with self._lock:
            if start is not None and self._start is start:  # an initialpose that came meanwhile is newer
                self._start = _start_after(result, start)
        return result

    def _initial(
        self, start: _GivenStart | Mapping[str, NDArray[np.float64]] | None, acquisition: Acquisition
    ) -> Mapping[str, NDArray[np.float64]] | None:
        if start is None and not self.needs_start:
            return None
        if start is None:
            raise InputError(
                "there is no start for the registration, and the case has no networks that find one; publish on"
                f" initialpose roughly where the CT is in {self._reference}."
            )
        if not isinstance(start, _GivenStart):
            return start
        T_reference_ct = start.T_reference_ct
        if T_reference_ct is None:
            # a stamp of zero asks for the frame's place now; the place at the X-rays is what is meant
            stamp_ns = start.stamp_ns or acquisition.stamp_ns
            T_reference_ct = self._looked_up(start, self._lookup, stamp_ns)
        return dict.fromkeys(self._levels, T_reference_ct)

    def _looked_up(self, start: _GivenStart, lookup: Lookup, stamp_ns: int) -> NDArray[np.float64]:
        """``T_reference_ct`` (4, 4), mm."""
        try:
            return lookup(self._reference, start.frame, stamp_ns) @ start.T_frame_ct
        except InputError as error:
            raise InputError(f"initialpose: {error}") from error


def _start_after(
    result: RegistrationResult, start: _GivenStart | Mapping[str, NDArray[np.float64]]
) -> _GivenStart | Mapping[str, NDArray[np.float64]]:
    """Where the next registration starts: registered levels where they were found, the others where the body is."""
    if not any(level.status == "registered" for level in result.levels.values()):
        return start
    return {
        label: level.T_reference_ct if level.status == "registered" else result.T_reference_body
        for label, level in result.levels.items()
    }
