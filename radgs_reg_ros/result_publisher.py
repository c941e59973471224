"""Sends a registration's result to every topic that carries it."""

import math
from collections.abc import Mapping, Sequence

from geometry_msgs.msg import PoseStamped
from radgs_reg.msg import VertebraPose, VertebraPoseArray
from rclpy.lifecycle import LifecycleNode
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from visualization_msgs.msg import MarkerArray

from radgs_core.case import Case
from radgs_core.registration.pipeline import BiplanarGeometry, LevelResult, RegistrationResult, draw_overlay, inverse
from radgs_reg_ros import qos
from radgs_reg_ros.frames import ct_frame, vertebra_frame
from radgs_reg_ros.image_messages import image_from_pixels
from radgs_reg_ros.markers import VertebraMarkers
from radgs_reg_ros.pairing import VIEWS
from radgs_reg_ros.stamps import stamp_from_nanoseconds
from radgs_reg_ros.tf_broadcaster import TfBroadcaster, transform_stamped
from radgs_reg_ros.transform_messages import MM_PER_M, pose_from_matrix
from radgs_reg_ros.xray_inbox import Acquisition


class ResultPublisher:
    """Publishes while the lifecycle node is active: TF, poses, overlays and markers.

    Every message of a result carries the stamp of the acquisition. A rejected level appears in ``vertebra_poses`` only.
    """

    def __init__(
        self, node: LifecycleNode, case: Case, levels: Sequence[str], reference: str, frame_prefix: str = ""
    ) -> None:
        """``frame_prefix``: of the vertebrae's frames."""
        self._node = node
        self._case = case
        self._levels = list(levels)
        self._reference = reference
        self._prefix = frame_prefix
        self._tf = TfBroadcaster(node)
        self._markers = VertebraMarkers(case, levels, frame_prefix)
        self._poses = node.create_lifecycle_publisher(VertebraPoseArray, "vertebra_poses", qos.last_result())
        self._marker_publisher = node.create_lifecycle_publisher(MarkerArray, "markers", qos.last_result())
        self._measured = {
            label: node.create_lifecycle_publisher(PoseStamped, f"vertebra_{label}/measured_cp", qos.events())
            for label in levels
        }
        self._overlays = {
            view: node.create_lifecycle_publisher(Image, f"{view}/overlay", qos.last_result()) for view in VIEWS
        }

    def publish_static(self) -> None:
        """What holds before the first result.

        ``/tf_static``: the CT's coordinates in each vertebra's frame, whether or not the vertebra is found. No markers:
        those of an earlier case would stay in view.
        """
        self._marker_publisher.publish(self._markers.nothing())
        stamp = self._node.get_clock().now().to_msg()
        self._tf.send_static(
            [
                transform_stamped(
                    Header(stamp=stamp, frame_id=vertebra_frame(label, self._prefix)),
                    ct_frame(label, self._prefix),
                    inverse(self._case.levels[label].T_ct_vertebra),
                )
                for label in self._levels
            ]
        )

    def publish(self, result: RegistrationResult, acquisition: Acquisition, geometry: BiplanarGeometry) -> None:
        """Send one result."""
        header = Header(stamp=stamp_from_nanoseconds(acquisition.stamp_ns), frame_id=self._reference)
        registered = {label: level for label, level in result.levels.items() if level.status == "registered"}
        T_reference_vertebra = {
            label: level.T_reference_ct @ self._case.levels[label].T_ct_vertebra for label, level in registered.items()
        }
        if registered:
            self._tf.send(header, {vertebra_frame(label, self._prefix): T for label, T in T_reference_vertebra.items()})
        for label, T in T_reference_vertebra.items():
            self._measured[label].publish(PoseStamped(header=header, pose=pose_from_matrix(T)))
        self._poses.publish(vertebra_poses(header, result, self._case))
        self._marker_publisher.publish(self._markers.message(header.stamp, registered))
        self._publish_overlays(registered, acquisition, geometry)

    def close(self) -> None:
        """Destroy the publishers."""
        self._tf.close()
        for publisher in (self._poses, self._marker_publisher, *self._measured.values(), *self._overlays.values()):
            self._node.destroy_lifecycle_publisher(publisher)

    def _publish_overlays(
        self, registered: Mapping[str, LevelResult], acquisition: Acquisition, geometry: BiplanarGeometry
    ) -> None:
        poses = {label: level.T_reference_ct for label, level in registered.items()}
        for view, publisher in self._overlays.items():
            pixels = draw_overlay(acquisition.images[view], geometry.views[view], self._case, poses)
            stamp = stamp_from_nanoseconds(acquisition.stamps_ns[view])
            header = Header(stamp=stamp, frame_id=acquisition.frames[view])
            publisher.publish(image_from_pixels(pixels, "rgb8", header))


def vertebra_poses(header: Header, result: RegistrationResult, case: Case) -> VertebraPoseArray:
    """The message of a whole result; a rejected level has no pose."""
    return VertebraPoseArray(header=header, vertebrae=[_vertebra_pose(level, case) for level in result.levels.values()])


def _vertebra_pose(level: LevelResult, case: Case) -> VertebraPose:
    message = VertebraPose(
        label=level.label,
        status=VertebraPose.REGISTERED if level.status == "registered" else VertebraPose.REJECTED,
        reason=level.reason,
        expected_tre_m=level.expected_tre_mm / MM_PER_M,
        similarity_ap=level.similarity.get("ap", math.nan),
        similarity_lateral=level.similarity.get("lateral", math.nan),
        iterations=level.iterations,
        converged=level.converged,
    )
    if level.status == "registered":
        message.pose = pose_from_matrix(level.T_reference_ct @ case.levels[level.label].T_ct_vertebra)
        message.ct_pose = pose_from_matrix(level.T_reference_ct)
    return message
