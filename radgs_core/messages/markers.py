"""The vertebrae's surfaces and names for RViz and Foxglove."""

from collections.abc import Mapping, Sequence

from radgs_core.case import Case, Vertebra
from radgs_core.messages.factory import Message, MessageFactory
from radgs_core.messages.frames import ct_frame, vertebra_frame
from radgs_core.messages.headers import header_of
from radgs_core.messages.transforms import MM_PER_M
from radgs_core.registration.result import LevelResult

TEXT_VIEW_FACING, TRIANGLE_LIST = 9, 11
ADD, DELETE, DELETEALL = 0, 2, 3
"""Constants of visualization_msgs/Marker."""
BONE = {"r": 0.93, "g": 0.87, "b": 0.75, "a": 0.9}
WRITING = {"r": 1.0, "g": 1.0, "b": 1.0, "a": 1.0}
SURFACE_ID, LABEL_ID = 0, 1
LABEL_M = 0.012
"""Height of a label's letters."""
BESIDE_M = 0.06
"""From a vertebra's centre to its label, which lies at the patient's left, clear of the transverse processes."""


class VertebraMarkers:
    """For each level a surface and a label; they lie in the level's own frames, so TF moves them.

    Surfaces are built once. There is no colour for a rejected level: nobody knows where it is, so it is not shown.
    """

    def __init__(self, factory: MessageFactory, case: Case, levels: Sequence[str], frame_prefix: str = "") -> None:
        """``frame_prefix``: of the vertebrae's frames."""
        self._factory = factory
        self._prefix = frame_prefix
        self._surfaces = {label: _surface(factory, case.levels[label]) for label in levels}
        self._bone, self._white = (factory.make("std_msgs/msg/ColorRGBA", **color) for color in (BONE, WRITING))

    def message(self, stamp_ns: int, registered: Mapping[str, LevelResult]) -> Message:
        """MarkerArray that shows the registered levels at a stamp and removes the others."""
        markers = []
        for label in self._surfaces:
            surface, text = {}, {}
            if label in registered:
                surface, text = self._shown_surface(label), self._shown_label(registered[label])
            markers.append(self._marker(stamp_ns, label, ct_frame(label, self._prefix), SURFACE_ID, surface))
            markers.append(self._marker(stamp_ns, label, vertebra_frame(label, self._prefix), LABEL_ID, text))
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

    def _shown_surface(self, label: str) -> dict[str, object]:
        scale = self._factory.make("geometry_msgs/msg/Vector3", x=1.0, y=1.0, z=1.0)
        points = self._surfaces[label]
        return {"action": ADD, "type": TRIANGLE_LIST, "scale": scale, "color": self._bone, "points": points}

    def _shown_label(self, level: LevelResult) -> dict[str, object]:
        make = self._factory.make
        return {
            "action": ADD,
            "type": TEXT_VIEW_FACING,
            "pose": make("geometry_msgs/msg/Pose", position=make("geometry_msgs/msg/Point", y=BESIDE_M)),
            "scale": make("geometry_msgs/msg/Vector3", z=LABEL_M),
            "color": self._white,
            "text": f"{level.label}  {level.expected_tre_mm:.1f} mm",
        }

    def _array(self, markers: list[Message]) -> Message:
        return self._factory.make("visualization_msgs/msg/MarkerArray", markers=markers)


def _surface(factory: MessageFactory, vertebra: Vertebra) -> list[Message]:
    """Corners of the mesh's triangles, three by three, in the CT's coordinates, metres."""
    corners = vertebra.mesh_vertices_mm[vertebra.mesh_faces.ravel()] / MM_PER_M
    return [factory.make("geometry_msgs/msg/Point", x=x, y=y, z=z) for x, y, z in corners.tolist()]
