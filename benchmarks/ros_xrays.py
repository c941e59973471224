"""X-rays as ROS messages, made before they are needed: sending them is what takes time."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import PoseWithCovarianceStamped
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header
from tf2_msgs.msg import TFMessage

from benchmarks.studies import MOTION_DEG, MOTION_MM
from radgs_core.case import Case
from radgs_core.messages.cameras import info_from_camera
from radgs_core.messages.factory import Message
from radgs_core.messages.images import image_from_pixels
from radgs_core.messages.topics import TF, image_topic, info_topic, resolved
from radgs_core.messages.transforms import pose_from_matrix, tf_message
from radgs_core.progress import Progress
from radgs_core.xray import CArm, Physics, Simulator, Study, biplanar_geometry, body_pose, take_study
from radgs_core.xray.carm import REFERENCE
from radgs_reg_ros.ros_messages import ROS_MESSAGES

SIZE, PIXEL_MM = 1024, 0.3
"""Of the square images: mono16, 2 MB each."""


@dataclass(frozen=True)
class XrayMessages:
    """What the topics carry of one study; stamps are set when it is sent.

    Attributes:
        images, infos: by view.
        places: of the views in the reference frame, for ``/tf``.
    """

    images: Mapping[str, Image]
    infos: Mapping[str, CameraInfo]
    places: TFMessage

    @classmethod
    def of(cls, study: Study) -> "XrayMessages":
        """Messages without stamps."""
        headers = {view: Header(frame_id=_frame(view)) for view in study.images}
        cameras = study.geometry.views
        return cls(
            {
                view: image_from_pixels(ROS_MESSAGES, np.round(pixels).astype(np.uint16), "mono16", headers[view])
                for view, pixels in study.images.items()
            },
            {view: info_from_camera(ROS_MESSAGES, cameras[view], header) for view, header in headers.items()},
            tf_message(
                ROS_MESSAGES,
                Header(frame_id=REFERENCE),
                {_frame(view): camera.T_reference_camera for view, camera in cameras.items()},
            ),
        )

    def stamped(self, stamp: Time) -> Iterator[tuple[str, Message]]:
        """Full names of topics and their messages, taken at a stamp; images come last."""
        for transform in self.places.transforms:
            transform.header.stamp = stamp
        yield TF, self.places
        for messages, topic_of in ((self.infos, info_topic), (self.images, image_topic)):
            for view, message in messages.items():
                message.header.stamp = stamp
                yield resolved(topic_of(view), ""), message


def xray_messages(case: Case, count: int, progress: Progress) -> list[XrayMessages]:
    """Some studies of a case, each with the spine bent anew, all levels in the images' centre."""
    simulator = Simulator(case, biplanar_geometry(CArm(pixel_mm=PIXEL_MM, size=SIZE)), _pose(case))
    physics = Physics.named("plain", np.random.default_rng(0))
    made = []
    for seed in range(count):
        progress(seed / count, f"study {seed}")
        made.append(XrayMessages.of(take_study(case, simulator, physics, MOTION_MM, MOTION_DEG, seed)))
    return made


def start_message(case: Case) -> PoseWithCovarianceStamped:
    """An initialpose: the body, from which every level is off by its own motion."""
    message = PoseWithCovarianceStamped(header=Header(frame_id=REFERENCE))
    message.pose.pose = pose_from_matrix(ROS_MESSAGES, _pose(case))
    return message


def _pose(case: Case) -> np.ndarray:
    return body_pose(case, list(case.levels))


def _frame(view: str) -> str:
    return f"{view}_optical"
