"""The vertebrae's surfaces for RViz and Foxglove."""

from collections.abc import Collection, Sequence

from radgs_core.case import Case, Vertebra
from radgs_core.messages.factory import Message, MessageFactory
from radgs_core.messages.frames import ct_frame, vertebra_frame
from radgs_core.messages.headers import header_of
from radgs_core.messages.transforms import MM_PER_M

TRIANGLE_LIST, ADD, DELETE = 11, 0, 2
"""Constants of visualization_msgs/Marker."""
BONE = {"r": 0.93, "g": 0.87, "b": 0.75, "a": 0.9}


class VertebraMarkers:
    """One triangle list per level, built once; each lies in its own frame, so TF moves it."""

    def __init__(self, factory: MessageFactory, case: Case, levels: Sequence[str]) -> None:
        self._factory = factory
        self._surfaces = {label: _surface(factory, case.levels[label]) for label in levels}
        self._bone = factory.make("std_msgs/msg/ColorRGBA", **BONE)
        self._scale = factory.make("geometry_msgs/msg/Vector3", x=1.0, y=1.0, z=1.0)

    def message(self, stamp_ns: int, registered: Collection[str]) -> Message:
        """MarkerArray that shows the registered levels at a stamp and removes the others."""
        markers = []
        for number, (label, points) in enumerate(self._surfaces.items()):
            shown = {"action": ADD, "scale": self._scale, "color": self._bone, "points": points}
            markers.append(
                self._factory.make(
                    "visualization_msgs/msg/Marker",
                    header=header_of(self._factory, stamp_ns, ct_frame(label)),
                    ns=vertebra_frame(label),
                    id=number,
                    type=TRIANGLE_LIST,
                    **(shown if label in registered else {"action": DELETE}),
                )
            )
        return self._factory.make("visualization_msgs/msg/MarkerArray", markers=markers)


def _surface(factory: MessageFactory, vertebra: Vertebra) -> list[Message]:
    """Corners of the mesh's triangles, three by three, in the CT's coordinates, metres."""
    corners = vertebra.mesh_vertices_mm[vertebra.mesh_faces.ravel()] / MM_PER_M
    return [factory.make("geometry_msgs/msg/Point", x=x, y=y, z=z) for x, y, z in corners.tolist()]
