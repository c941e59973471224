"""Sends an exposure to every topic that carries it."""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from radgs_reg.msg import VertebraPose, VertebraPoseArray
from rclpy.lifecycle import LifecycleNode
from sensor_msgs.msg import CameraInfo
from std_msgs.msg import Header

from radgs_core.acquisition.pairing import VIEWS
from radgs_core.case import Case
from radgs_core.messages.cameras import info_from_camera
from radgs_core.messages.image_transport import ImageTransport
from radgs_core.messages.topics import info_topic
from radgs_core.messages.transforms import pose_from_matrix
from radgs_core.xray.theatre import Exposure
from radgs_reg_ros import qos
from radgs_reg_ros.ros_messages import ROS_MESSAGES, message_class
from radgs_reg_ros.xray_link import LinkFaults, XrayLink


class ExposurePublisher:
    """Publishes X-rays, their camera_info and the truth while the lifecycle node is active."""

    def __init__(self, node: LifecycleNode, transport: ImageTransport) -> None:
        """``transport``: how the images go."""
        self._node = node
        self._transport = transport
        image = message_class(transport.kind)
        self._images = {
            view: node.create_lifecycle_publisher(image, transport.topic(view), qos.images_out()) for view in VIEWS
        }
        self._infos = {
            view: node.create_lifecycle_publisher(CameraInfo, info_topic(view), qos.images_out()) for view in VIEWS
        }
        self._truth = node.create_lifecycle_publisher(
            VertebraPoseArray, "ground_truth/vertebra_poses", qos.last_result()
        )

    def publish(
        self,
        exposure: Exposure,
        case: Case,
        reference: Header,
        frames: Mapping[str, str],
        link: XrayLink,
        faults: LinkFaults,
    ) -> None:
        """Send one exposure.

        Args:
            exposure: what was taken.
            case: of whom.
            reference: stamp of the exposure, and the frame of the truth.
            frames: by view, the optical frame.
            link, faults: which way images and camera_info take.
        """
        self._truth.publish(
            VertebraPoseArray(
                header=reference,
                vertebrae=[_truth(label, T, case) for label, T in exposure.T_reference_level.items()],
            )
        )
        for view, pixels in exposure.images.items():
            header = Header(stamp=reference.stamp, frame_id=frames[view])
            link.send(self._infos[view], info_from_camera(ROS_MESSAGES, exposure.cameras[view], header), faults)
            counts = np.round(pixels).astype(np.uint16)
            message = self._transport.message(ROS_MESSAGES, counts, "mono16", header)
            link.send(self._images[view], message, faults)

    def subscribers(self) -> dict[str, int]:
        """How many would get the next exposure, by topic."""
        publishers = {self._transport.topic(view): self._images[view] for view in VIEWS}
        publishers |= {info_topic(view): self._infos[view] for view in VIEWS}
        return {topic: publisher.get_subscription_count() for topic, publisher in publishers.items()}

    def close(self) -> None:
        """Destroy the publishers."""
        for publisher in (*self._images.values(), *self._infos.values(), self._truth):
            self._node.destroy_lifecycle_publisher(publisher)


def _truth(label: str, T_reference_ct: NDArray[np.float64], case: Case) -> VertebraPose:
    return VertebraPose(
        label=label,
        status=VertebraPose.REGISTERED,
        pose=pose_from_matrix(ROS_MESSAGES, T_reference_ct @ case.levels[label].T_ct_vertebra),
        ct_pose=pose_from_matrix(ROS_MESSAGES, T_reference_ct),
        expected_tre_m=0.0,
        similarity_ap=math.nan,
        similarity_lateral=math.nan,
    )
