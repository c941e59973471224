"""The vertebrae's surfaces for RViz and Foxglove."""

from collections.abc import Collection, Sequence

from builtin_interfaces.msg import Time
from geometry_msgs.msg import Point, Vector3
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker, MarkerArray

from radgs_core.case import Case, Vertebra
from radgs_reg_ros.frames import ct_frame, vertebra_frame
from radgs_reg_ros.transform_messages import MM_PER_M

BONE = ColorRGBA(r=0.93, g=0.87, b=0.75, a=0.9)


class VertebraMarkers:
    """One triangle list per level, built once; each lies in its own frame, so TF moves it."""

    def __init__(self, case: Case, levels: Sequence[str]) -> None:
        self._surfaces = {label: _surface(case.levels[label]) for label in levels}

    def message(self, stamp: Time, registered: Collection[str]) -> MarkerArray:
        """Shows the registered levels at a stamp and removes the others."""
        markers = []
        for number, (label, points) in enumerate(self._surfaces.items()):
            marker = Marker(
                header=Header(stamp=stamp, frame_id=ct_frame(label)),
                ns=vertebra_frame(label),
                id=number,
                type=Marker.TRIANGLE_LIST,
                action=Marker.DELETE,
            )
            if label in registered:
                marker.action = Marker.ADD
                marker.scale = Vector3(x=1.0, y=1.0, z=1.0)
                marker.color = BONE
                marker.points = points
            markers.append(marker)
        return MarkerArray(markers=markers)


def _surface(vertebra: Vertebra) -> list[Point]:
    """Corners of the mesh's triangles, three by three, in the CT's coordinates, metres."""
    corners = vertebra.mesh_vertices_mm[vertebra.mesh_faces.ravel()] / MM_PER_M
    return [Point(x=x, y=y, z=z) for x, y, z in corners.tolist()]
