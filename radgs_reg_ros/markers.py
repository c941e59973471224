"""The vertebrae's surfaces and names for RViz and Foxglove."""

from collections.abc import Mapping, Sequence

from builtin_interfaces.msg import Time
from geometry_msgs.msg import Point, Pose, Vector3
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker, MarkerArray

from radgs_core.case import Case, Vertebra
from radgs_core.registration.pipeline import LevelResult
from radgs_reg_ros.frames import ct_frame, vertebra_frame
from radgs_reg_ros.transform_messages import MM_PER_M

BONE = ColorRGBA(r=0.93, g=0.87, b=0.75, a=0.9)
WRITING = ColorRGBA(r=1.0, g=1.0, b=1.0, a=1.0)
SURFACE_ID, LABEL_ID = 0, 1
LABEL_M = 0.012
"""Height of a label's letters."""
BESIDE_M = 0.06
"""From a vertebra's centre to its label, which lies at the patient's left, clear of the transverse processes."""


class VertebraMarkers:
    """For each level a surface and a label; they lie in the level's own frames, so TF moves them.

    Surfaces are built once. There is no colour for a rejected level: nobody knows where it is, so it is not shown.
    """

    def __init__(self, case: Case, levels: Sequence[str], frame_prefix: str = "") -> None:
        """``frame_prefix``: of the vertebrae's frames."""
        self._prefix = frame_prefix
        self._surfaces = {label: _surface(case.levels[label]) for label in levels}

    def message(self, stamp: Time, registered: Mapping[str, LevelResult]) -> MarkerArray:
        """Shows the registered levels at a stamp and removes the others."""
        markers = []
        for label in self._surfaces:
            surface = self._marker(stamp, label, ct_frame(label, self._prefix), SURFACE_ID)
            text = self._marker(stamp, label, vertebra_frame(label, self._prefix), LABEL_ID)
            if label in registered:
                self._show_surface(surface, label)
                _show_label(text, registered[label])
            markers += [surface, text]
        return MarkerArray(markers=markers)

    @staticmethod
    def nothing() -> MarkerArray:
        """Removes all that was ever shown on the topic, also of levels that another case had."""
        return MarkerArray(markers=[Marker(action=Marker.DELETEALL)])

    def _marker(self, stamp: Time, label: str, frame: str, number: int) -> Marker:
        """One that takes away what was shown of it before."""
        header = Header(stamp=stamp, frame_id=frame)
        return Marker(header=header, ns=vertebra_frame(label, self._prefix), id=number, action=Marker.DELETE)

    def _show_surface(self, marker: Marker, label: str) -> None:
        marker.action, marker.type = Marker.ADD, Marker.TRIANGLE_LIST
        marker.scale = Vector3(x=1.0, y=1.0, z=1.0)
        marker.color = BONE
        marker.points = self._surfaces[label]


def _show_label(marker: Marker, level: LevelResult) -> None:
    marker.action, marker.type = Marker.ADD, Marker.TEXT_VIEW_FACING
    marker.pose = Pose(position=Point(y=BESIDE_M))
    marker.scale = Vector3(z=LABEL_M)
    marker.color = WRITING
    marker.text = f"{level.label}  {level.expected_tre_mm:.1f} mm"


def _surface(vertebra: Vertebra) -> list[Point]:
    """Corners of the mesh's triangles, three by three, in the CT's coordinates, metres."""
    corners = vertebra.mesh_vertices_mm[vertebra.mesh_faces.ravel()] / MM_PER_M
    return [Point(x=x, y=y, z=z) for x, y, z in corners.tolist()]
