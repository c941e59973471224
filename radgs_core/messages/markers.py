"""The vertebrae's surfaces and names for RViz and Foxglove."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from radgs_core.case import Case, Vertebra
from radgs_core.messages.coarse_surface import coarse_surface
from radgs_core.messages.factory import Message, MessageFactory
from radgs_core.messages.frames import ct_frame, vertebra_frame
from radgs_core.messages.headers import header_of
from radgs_core.messages.transforms import MM_PER_M, pose_from_matrix
from radgs_core.registration.result import LevelResult

TEXT_VIEW_FACING, TRIANGLE_LIST = 9, 11
ADD, DELETE, DELETEALL = 0, 2, 3
"""Constants of visualization_msgs/Marker."""
BONE = {"r": 0.93, "g": 0.87, "b": 0.75, "a": 0.9}
DOUBT = {"r": 0.9, "g": 0.1, "b": 0.1, "a": 0.35}
WRITING = {"r": 1.0, "g": 1.0, "b": 1.0, "a": 1.0}
SURFACE_ID, LABEL_ID = 0, 1
LABEL_M = 0.012
"""Height of a label's letters."""
CELL_MM = 5.0
"""Details of the surfaces that are smaller than this are left out."""
BESIDE_M = 0.06
"""From a vertebra's centre to its label, which lies at the patient's left, clear of the transverse processes."""


class VertebraMarkers:
    """For each level a surface and a label, coloured by status. Surfaces are built once.

    Those of a registered level lie in its own frames, so TF moves them. A rejected level has no frames: where
    refinement left a pose, red and translucent ones lie in the reference frame, to show what was rejected. A level that
    was never found has none.
    """

    def __init__(
        self, factory: MessageFactory, case: Case, levels: Sequence[str], reference: str, frame_prefix: str = ""
    ) -> None:
        """``reference``: frame that poses are expressed in; ``frame_prefix``: of the vertebrae's frames."""
        self._factory = factory
        self._reference = reference
        self._prefix = frame_prefix
        self._T_ct_vertebra = {label: case.levels[label].T_ct_vertebra for label in levels}
        self._surfaces = {label: _surface(factory, case.levels[label]) for label in levels}

    def message(self, stamp_ns: int, results: Mapping[str, LevelResult]) -> Message:
        """MarkerArray that shows the levels that have a pose at a stamp and removes the others.

        Args:
            stamp_ns: of the acquisition.
            results: of every level.
        """
        markers = []
        for label in self._surfaces:
            level = results[label]
            if level.status == "registered":
                markers += self._registered(stamp_ns, level)
            elif level.similarity:
                markers += self._rejected(stamp_ns, level)
            else:  # it was never found
                markers += [self._marker(stamp_ns, label, self._reference, n, {}) for n in (SURFACE_ID, LABEL_ID)]
        return self._array(markers)

    def nothing(self) -> Message:
        """MarkerArray that removes all that was ever shown on the topic, also of levels that another case had."""
        return self._array([self._factory.make("visualization_msgs/msg/Marker", action=DELETEALL)])

    def _marker(self, stamp_ns: int, label: str, frame: str, number: int, shown: Mapping[str, object]) -> Message:
        """One that takes away what was shown of it before, unless something is shown."""
        return self._factory.make(
            "visualization_msgs/msg/Marker",
            header=header_of(self._factory, stamp_ns, frame),
            ns=vertebra_frame(label, self._prefix),
            id=number,
            **(shown or {"action": DELETE}),
        )

    def _registered(self, stamp_ns: int, level: LevelResult) -> list[Message]:
        label = level.label
        surface = self._surface(label, np.eye(4), BONE)
        text = self._text(np.eye(4), f"{label}  {level.expected_tre_mm:.1f} mm")
        return [
            self._marker(stamp_ns, label, ct_frame(label, self._prefix), SURFACE_ID, surface),
            self._marker(stamp_ns, label, vertebra_frame(label, self._prefix), LABEL_ID, text),
        ]

    def _rejected(self, stamp_ns: int, level: LevelResult) -> list[Message]:
        label, T_reference_ct = level.label, level.T_reference_ct
        surface = self._surface(label, T_reference_ct, DOUBT)
        text = self._text(T_reference_ct @ self._T_ct_vertebra[label], f"{label} rejected")
        return [
            self._marker(stamp_ns, label, self._reference, SURFACE_ID, surface),
            self._marker(stamp_ns, label, self._reference, LABEL_ID, text),
        ]

    def _surface(self, label: str, T_frame_ct: NDArray[np.float64], color: Mapping[str, float]) -> dict[str, object]:
        return {
            "action": ADD,
            "type": TRIANGLE_LIST,
            "pose": pose_from_matrix(self._factory, T_frame_ct),
            "scale": self._factory.make("geometry_msgs/msg/Vector3", x=1.0, y=1.0, z=1.0),
            "color": self._factory.make("std_msgs/msg/ColorRGBA", **color),
            "points": self._surfaces[label],
        }

    def _text(self, T_frame_vertebra: NDArray[np.float64], text: str) -> dict[str, object]:
        beside = np.eye(4)
        beside[1, 3] = BESIDE_M * MM_PER_M
        return {
            "action": ADD,
            "type": TEXT_VIEW_FACING,
            "pose": pose_from_matrix(self._factory, T_frame_vertebra @ beside),
            "scale": self._factory.make("geometry_msgs/msg/Vector3", z=LABEL_M),
            "color": self._factory.make("std_msgs/msg/ColorRGBA", **WRITING),
            "text": text,
        }

    def _array(self, markers: list[Message]) -> Message:
        return self._factory.make("visualization_msgs/msg/MarkerArray", markers=markers)


def _surface(factory: MessageFactory, vertebra: Vertebra) -> list[Message]:
    """Corners of the mesh's triangles, three by three, in the CT's coordinates, metres."""
    corners = coarse_surface(vertebra.mesh_vertices_mm, vertebra.mesh_faces, CELL_MM).reshape(-1, 3) / MM_PER_M
    return [factory.make("geometry_msgs/msg/Point", x=x, y=y, z=z) for x, y, z in corners.tolist()]
