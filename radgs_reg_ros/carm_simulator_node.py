"""carm_simulator_node: plays the operating room, a patient whose spine bends between exposures and a C-arm."""

import dataclasses
import itertools
import math
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from radgs_reg.msg import VertebraPose, VertebraPoseArray
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.timer import Timer
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header
from std_srvs.srv import Trigger

from radgs_core.acquisition.pairing import VIEWS
from radgs_core.case import Case
from radgs_core.messages.cameras import info_from_camera
from radgs_core.messages.images import image_from_pixels
from radgs_core.messages.stamps import nanoseconds, seconds_text
from radgs_core.messages.transforms import pose_from_matrix, transform_stamped
from radgs_core.registration.pipeline import InputError
from radgs_core.xray.carm import CArm, biplanar_geometry, body_pose
from radgs_core.xray.physics import Physics
from radgs_core.xray.simulator import Simulator
from radgs_core.xray.study import take_study
from radgs_reg_ros import qos
from radgs_reg_ros.managed_node import ManagedNode
from radgs_reg_ros.parameter_declaration import read
from radgs_reg_ros.parameters import CarmSimulatorParameters, selected_levels
from radgs_reg_ros.ros_messages import ROS_MESSAGES
from radgs_reg_ros.run_node import run_node
from radgs_reg_ros.tf_broadcaster import TfBroadcaster
from radgs_reg_ros.worker import JobCancelled, LatestJobWorker


@dataclass(frozen=True)
class _OperatingRoom:
    """The simulated scene, of one configuration.

    Attributes:
        case: the patient.
        frames: by view, the optical frame.
        simulator: patient and C-arm.
        physics: of all exposures, but for the number of photons, which is a parameter.
        seeds: of motion and noise, one for each exposure.
    """

    case: Case
    frames: Mapping[str, str]
    simulator: Simulator
    physics: Physics
    seeds: Iterator[int]


class CarmSimulatorNode(ManagedNode):
    """See docs/topics.md. ``~/expose`` bends the spine anew and takes both X-rays, in a worker thread."""

    def __init__(self) -> None:
        super().__init__("carm_simulator_node", CarmSimulatorParameters)
        self._settings = CarmSimulatorParameters()
        self._room: _OperatingRoom | None = None
        self._tf: TfBroadcaster | None = None
        self._watch: Timer | None = None
        self._active = False
        self._worker = LatestJobWorker("ray casting", self._expose)
        self._publishing = threading.Lock()
        self._images = {
            view: self.create_lifecycle_publisher(Image, f"{view}/image", qos.images_out()) for view in VIEWS
        }
        self._infos = {
            view: self.create_lifecycle_publisher(CameraInfo, f"{view}/camera_info", qos.images_out()) for view in VIEWS
        }
        self._truth = self.create_lifecycle_publisher(
            VertebraPoseArray, "ground_truth/vertebra_poses", qos.last_result()
        )
        # a group of its own: a call waits for its exposure while the node goes on
        self._service = self.create_service(
            Trigger, "~/expose", self._on_expose, callback_group=MutuallyExclusiveCallbackGroup()
        )

    def configure(self) -> None:
        self._settings = parameters = read(self, CarmSimulatorParameters)
        if not parameters.case:
            raise InputError("the parameter case is empty; set it to a folder made by `radgs-reg prepare`.")
        case = Case.load(Path(parameters.case))
        centred = selected_levels(parameters.levels, list(case.levels))
        geometry = biplanar_geometry(CArm(pixel_mm=parameters.pixel_mm, size=parameters.image_size))
        # seeded as `radgs-reg simulate` does it: the first exposure is the one it takes with the same seed
        physics = Physics.named(parameters.physics, np.random.default_rng([parameters.seed, 1]), parameters.photons)
        self.get_logger().info("ray casting the body")
        self._room = _OperatingRoom(
            case=case,
            frames={
                "ap": parameters.frame_prefix + parameters.ap_frame,
                "lateral": parameters.frame_prefix + parameters.lateral_frame,
            },
            simulator=Simulator(case, geometry, body_pose(case, centred)),
            physics=physics,
            seeds=itertools.count(parameters.seed),
        )
        self._tf = TfBroadcaster(self)

    def activate(self) -> None:
        assert self._room is not None and self._tf is not None
        self._active = True
        stamp = self.get_clock().now().to_msg()
        self._tf.send_static(
            [
                transform_stamped(
                    ROS_MESSAGES,
                    Header(stamp=stamp, frame_id=self._settings.reference_frame),
                    self._room.frames[view],
                    camera.T_reference_camera,
                )
                for view, camera in self._room.simulator.geometry.views.items()
            ]
        )
        self._watch = self.create_timer(0.5, self._report_listeners, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def deactivate(self) -> None:
        with self._publishing:  # an exposure is published as a whole or not at all
            self._active = False
            self._worker.cancel("the node was deactivated")
        if self._watch is not None:
            self.destroy_timer(self._watch)
            self._watch = None

    def release(self) -> None:
        if self._tf is not None:
            self._tf.close()
        self._tf = self._room = None

    def parameters_changed(self) -> None:
        self._settings = read(self, CarmSimulatorParameters)

    def stop_work(self, timeout_s: float) -> None:
        self._worker.stop(timeout_s)

    def _report_listeners(self) -> None:
        """Say who would miss an exposure: reliable topics keep nothing for subscribers that are still to come."""
        counts = {
            f"{view}/{name}": publishers[view].get_subscription_count()
            for view in VIEWS
            for name, publishers in (("image", self._images), ("camera_info", self._infos))
        }
        values = {topic: str(count) for topic, count in counts.items()}
        self.diagnostics.ok("subscribers", "subscribers of each topic", **values)

    def _on_expose(self, _request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        room = self._room
        if room is None or not self._active:
            response.message = "carm_simulator_node is not active; configure and activate it first."
            return response
        try:
            stamp_ns = self._worker.submit(room).result()
        except JobCancelled as error:
            response.message = str(error)
        else:
            response.success, response.message = True, f"exposed at {seconds_text(stamp_ns)}"
        return response

    def _expose(self, room: _OperatingRoom, cancelled: threading.Event) -> int:
        """Bend the spine, take both X-rays and publish them; returns their stamp. In the worker thread."""
        parameters = self._settings
        motion = parameters.motion_mm, parameters.motion_deg
        physics = dataclasses.replace(room.physics, photons=parameters.photons)
        study = take_study(room.case, room.simulator, physics, *motion, next(room.seeds))
        with self._publishing:
            if cancelled.is_set():
                raise JobCancelled("the exposure was cancelled")
            stamp = self.get_clock().now().to_msg()
            self._truth.publish(
                VertebraPoseArray(
                    header=Header(stamp=stamp, frame_id=parameters.reference_frame),
                    vertebrae=[
                        _truth(label, level.T_reference_ct, room.case) for label, level in study.truth.levels.items()
                    ],
                )
            )
            for view, pixels in study.images.items():
                header = Header(stamp=stamp, frame_id=room.frames[view])
                self._infos[view].publish(info_from_camera(ROS_MESSAGES, study.geometry.views[view], header))
                counts = np.round(pixels).astype(np.uint16)
                self._images[view].publish(image_from_pixels(ROS_MESSAGES, counts, "mono16", header))
        return nanoseconds(stamp)


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


def main(args: list[str] | None = None) -> int:
    """Entry point of the executable carm_simulator_node."""
    return run_node(CarmSimulatorNode, args)


if __name__ == "__main__":
    raise SystemExit(main())
