"""A C-arm made of publishers: sends what a test wants, good or bad."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import TransformStamped
from rclpy.publisher import Publisher
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header
from tf2_msgs.msg import TFMessage

from radgs_core.messages.cameras import info_from_camera
from radgs_core.messages.images import image_from_pixels
from radgs_core.messages.transforms import transform_from_matrix
from radgs_core.registration.pipeline import XrayCamera
from radgs_reg_ros import qos
from radgs_reg_ros.rig.remote import Remote
from radgs_reg_ros.ros_messages import ROS_MESSAGES

SIZE = 64
MATRIX = np.array([[200.0, 0, 31.5], [0, 200.0, 31.5], [0, 0, 1]])
T_BASE_CAMERA = {
    "ap": np.array([[0.0, -1, 0, 0], [-1, 0, 0, 0], [0, 0, -1, 700], [0, 0, 0, 1]]),
    "lateral": np.array([[0.0, 0, -1, 700], [1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 0, 1]]),
}


@dataclass
class Exposure:
    """The messages of one pair, to be spoiled before they are sent.

    Frames are named after the stamp, because TF does not forget.
    """

    stamp: Time
    images: dict[str, Image] = field(default_factory=dict)
    infos: dict[str, CameraInfo] = field(default_factory=dict)
    transforms: dict[str, TransformStamped] = field(default_factory=dict)

    @classmethod
    def good(cls, second: int) -> "Exposure":
        """A pair at a stamp that nothing is wrong with, other than that it shows noise."""
        exposure = cls(Time(sec=second))
        pixels = np.random.default_rng(second).integers(1, 60000, (SIZE, SIZE)).astype(np.uint16)
        for view, T_base_camera in T_BASE_CAMERA.items():
            frame = f"{view}_{second}"
            # headers of their own: spoiling one message leaves the others good
            exposure.images[view] = image_from_pixels(ROS_MESSAGES, pixels, "mono16", _header(second, frame))
            exposure.infos[view] = info_from_camera(
                ROS_MESSAGES, XrayCamera(SIZE, SIZE, MATRIX, np.eye(4)), _header(second, frame)
            )
            exposure.transforms[view] = TransformStamped(
                header=_header(second, "carm_base"),
                child_frame_id=frame,
                transform=transform_from_matrix(ROS_MESSAGES, T_base_camera),
            )
        return exposure

    def set_pixels(self, view: str, pixels: np.ndarray, encoding: str) -> None:
        """Replace the pixels of a view."""
        self.images[view] = image_from_pixels(ROS_MESSAGES, pixels, encoding, self.images[view].header)

    def cut_data(self, view: str, count: int) -> None:
        """Take bytes off the end of a view's data."""
        self.images[view].data = array("B", bytes(self.images[view].data)[:-count])


class XraySource:
    """Publishes exposures to a node that is already active."""

    kind: type = Image
    suffix = ""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._images = {
            view: remote.publisher(self.kind, f"/{view}/image{self.suffix}", qos.images_out()) for view in T_BASE_CAMERA
        }
        self._infos = {
            view: remote.publisher(CameraInfo, f"/{view}/camera_info", qos.images_out()) for view in T_BASE_CAMERA
        }
        self._tf = remote.publisher(TFMessage, "/tf", qos.tf())

    def send(self, exposure: Exposure, views: Sequence[str] = tuple(T_BASE_CAMERA)) -> None:
        """Publish TF, camera_info and images of some views."""
        self._tf.publish(
            TFMessage(transforms=[exposure.transforms[view] for view in views if view in exposure.transforms])
        )
        for view in views:
            self._infos[view].publish(exposure.infos[view])
        for view in views:
            self.publish_image(self._images[view], exposure.images[view])

    def close(self) -> None:
        """Destroy the publishers when the node has ceased to listen: another source must not take it for listening."""
        publishers = [*self._images.values(), *self._infos.values(), self._tf]
        self._remote.wait_for(
            lambda: not any(publisher.get_subscription_count() for publisher in publishers), "nobody to listen", 30.0
        )
        for publisher in publishers:
            self._remote.node.destroy_publisher(publisher)

    def publish_image(self, publisher: Publisher, image: Image) -> None:
        """Send one image."""
        publisher.publish(image)


def _header(second: int, frame: str) -> Header:
    return Header(stamp=Time(sec=second), frame_id=frame)
