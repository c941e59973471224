"""Simulator and registration node, driven through their topics and services."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from numpy.typing import NDArray
from radgs_reg.msg import VertebraPose, VertebraPoseArray
from rcl_interfaces.msg import Log
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CameraInfo, Image

from radgs_core.acquisition.pairing import VIEWS
from radgs_core.messages.cameras import camera_from_info
from radgs_core.messages.images import pixels_from_image
from radgs_core.messages.stamps import nanoseconds, seconds_text
from radgs_core.messages.transforms import matrix_from_pose
from radgs_core.registration.pipeline import XrayCamera
from radgs_reg_ros import qos
from radgs_reg_ros.demo.narrator import Narrator
from radgs_reg_ros.rig.remote import Remote, RigError
from radgs_reg_ros.tf_buffer import open_tf_buffer

SIMULATOR, REGISTRATION = "/carm_simulator_node", "/registration_node"
REFERENCE = "carm_base"
INPUTS = tuple(f"{view}/{name}" for view in VIEWS for name in ("image", "camera_info"))
SETUP_S, EXPOSURE_S, REGISTRATION_S, MESSAGE_S = 120.0, 120.0, 600.0, 20.0


@dataclass(frozen=True)
class Exposure:
    """What came over the topics for one exposure.

    Attributes:
        stamp_ns: of the acquisition.
        pixels: by view, (height, width).
        cameras: by view, placed by TF.
        truth: by level, ``T_reference_ct`` (4, 4), mm.
    """

    stamp_ns: int
    pixels: Mapping[str, NDArray]
    cameras: Mapping[str, XrayCamera]
    truth: Mapping[str, NDArray[np.float64]]


class OperatingRoom:
    """The demo's own process: it orders, and it reads what a robot would read."""

    def __init__(self, remote: Remote, narrator: Narrator) -> None:
        self._remote = remote
        self._images = {view: remote.listen(Image, f"/{view}/image", qos.images_in("reliable")) for view in VIEWS}
        self._infos = {
            view: remote.listen(CameraInfo, f"/{view}/camera_info", qos.images_in("reliable")) for view in VIEWS
        }
        self._truth = remote.listen(VertebraPoseArray, "/ground_truth/vertebra_poses", qos.last_result())
        self._poses = remote.listen(VertebraPoseArray, "/vertebra_poses", qos.last_result())
        self._diagnostics = remote.listen(DiagnosticArray, "/diagnostics", QoSProfile(depth=100))
        self._tf = open_tf_buffer(remote.node)
        # what the nodes log is the progress of what is waited for
        remote.node.create_subscription(Log, "/rosout", lambda m: narrator.detail(m.msg), QoSProfile(depth=100))

    def bring_up(self) -> None:
        """Take both nodes through the lifecycle, until every topic of the X-rays has its two subscribers."""
        self._remote.bring_up([REGISTRATION, SIMULATOR], SETUP_S)
        for topic in INPUTS:
            self._remote.wait_for(
                lambda topic=topic: int(self._value(SIMULATOR, "subscribers", topic) or 0) >= 2,  # type: ignore[misc]
                f"both subscribers of {topic}",
                MESSAGE_S,
            )

    def expose(self) -> Exposure:
        """Bend the spine and take both X-rays; returns when they are here and at the registration node."""
        answer = self._remote.trigger(f"{SIMULATOR}/expose", EXPOSURE_S)
        if not answer.success:
            raise RigError(f"{SIMULATOR}/expose: {answer.message}")

        def truth_of_it() -> VertebraPoseArray | None:
            return next((t for t in self._truth if answer.message.endswith(seconds_text(_stamp_ns(t)))), None)

        truth = self._remote.wait_for(truth_of_it, "the truth", MESSAGE_S)
        assert truth is not None
        stamp_ns = _stamp_ns(truth)
        for name, messages in (("images", self._images), ("camera_infos", self._infos)):
            self._remote.wait_for(
                lambda messages=messages: all(  # type: ignore[misc]
                    any(_stamp_ns(m) == stamp_ns for m in messages[view]) for view in VIEWS
                ),
                f"the {name} of the exposure",
                MESSAGE_S,
            )
        self._remote.wait_for(
            lambda: self._value(REGISTRATION, "pair", "stamp") == seconds_text(stamp_ns),
            "the exposure to reach registration_node",
            MESSAGE_S,
        )
        return Exposure(
            stamp_ns,
            {view: pixels_from_image(self._images[view][-1], f"{view}/image") for view in VIEWS},
            {view: self._camera(view, stamp_ns) for view in VIEWS},
            {level.label: matrix_from_pose(level.ct_pose, "truth") for level in truth.vertebrae},
        )

    def register(self, exposure: Exposure) -> VertebraPoseArray:
        """Have the exposure registered; returns what came on vertebra_poses. Rejected levels are no error here."""
        answer = self._remote.trigger(f"{REGISTRATION}/register", REGISTRATION_S)

        def result() -> VertebraPoseArray | None:
            return next((p for p in self._poses if _stamp_ns(p) == exposure.stamp_ns), None)

        if not answer.success and result() is None and "rejected" not in answer.message:
            raise RigError(f"{REGISTRATION}/register: {answer.message}")
        found = self._remote.wait_for(result, "vertebra_poses", MESSAGE_S)
        assert found is not None
        return found

    def received_pose(self, level: VertebraPose, stamp_ns: int) -> NDArray[np.float64]:
        """``T_reference_ct`` (4, 4), mm, of a registered level as ``/tf`` and ``/tf_static`` give it."""
        return self._tf.lookup(REFERENCE, f"vertebra_{level.label}_ct", stamp_ns, MESSAGE_S)

    def _camera(self, view: str, stamp_ns: int) -> XrayCamera:
        info = self._infos[view][-1]
        camera = camera_from_info(info, f"{view}/camera_info", "transmission")
        T_reference_camera = self._tf.lookup(REFERENCE, info.header.frame_id, stamp_ns, MESSAGE_S)
        return dataclasses.replace(camera, T_reference_camera=T_reference_camera)

    def _value(self, node: str, entry: str, key: str) -> str | None:
        """The last value of a diagnostic."""
        name = f"{node.lstrip('/')}: {entry}"
        for message in reversed(self._diagnostics):
            for status in message.status:
                if status.name == name:
                    return next((value.value for value in status.values if value.key == key), None)
        return None


def _stamp_ns(message: VertebraPoseArray | Image | CameraInfo) -> int:
    return nanoseconds(message.header.stamp)
