"""carm_simulator_node: plays the operating room, a patient whose spine bends between exposures and a C-arm."""

import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.time import Time
from rclpy.timer import Timer
from std_msgs.msg import Header
from std_srvs.srv import Trigger

from radgs_core.case import Case
from radgs_core.messages.image_transport import TRANSPORTS
from radgs_core.messages.stamps import seconds_text
from radgs_core.registration.pipeline import InputError
from radgs_core.xray.carm import CArm
from radgs_core.xray.carm_frames import OpticalFrames
from radgs_core.xray.carm_joints import JointPositions
from radgs_core.xray.theatre import Exposure, Theatre
from radgs_reg_ros.awaited import awaited
from radgs_reg_ros.carm_frames_publisher import CArmFramesPublisher
from radgs_reg_ros.clock_publisher import ClockPublisher
from radgs_reg_ros.commanded_carm import CommandedCArm
from radgs_reg_ros.exposure_publisher import ExposurePublisher
from radgs_reg_ros.followed_carm import FollowedCArm
from radgs_reg_ros.managed_node import ManagedNode
from radgs_reg_ros.parameter_declaration import read
from radgs_reg_ros.parameters import CarmSimulatorParameters, selected_levels
from radgs_reg_ros.run_node import run_node
from radgs_reg_ros.worker import JobCancelled, LatestJobWorker
from radgs_reg_ros.xray_link import LinkFaults, XrayLink


@dataclass(frozen=True)
class _OperatingRoom:
    """The simulated scene, of one configuration.

    Attributes:
        case: the patient.
        theatre: patient and C-arm.
        carm: where the C-arm is.
        link: the way of images and camera_info.
    """

    case: Case
    theatre: Theatre
    carm: CommandedCArm | FollowedCArm
    link: XrayLink


Order = Callable[[threading.Event], str]
"""Work for the worker thread, given what cancels it; returns what is answered."""


class CarmSimulatorNode(ManagedNode):
    """See docs/simulation.md. X-rays are ray cast in a worker thread."""

    def __init__(self) -> None:
        super().__init__("carm_simulator_node", CarmSimulatorParameters)
        self._settings = CarmSimulatorParameters()
        self._room: _OperatingRoom | None = None
        self._frames: CArmFramesPublisher | None = None
        self._clock_publisher: ClockPublisher | None = None
        self._watch: Timer | None = None
        self._active = False
        self._worker: LatestJobWorker[Order, str] = LatestJobWorker(
            "ray casting", lambda order, cancelled: order(cancelled)
        )
        self._switching = threading.Lock()
        """Held while the node is switched off, an order is taken or an exposure is published: none falls in between."""
        self._exposures: ExposurePublisher | None = None
        # a group of its own, which a call holds until it is answered: one after the other, and others come in meanwhile
        calls = MutuallyExclusiveCallbackGroup()
        orders: dict[str, Callable[[_OperatingRoom, threading.Event], str]] = {
            "expose": self._expose_both,
            "expose_ap": partial(self._expose_one, "ap"),
            "expose_lateral": partial(self._expose_one, "lateral"),
            "bend": self._bend,
        }
        self._orders = [
            self.create_service(Trigger, f"~/{name}", partial(self._on_order, order), callback_group=calls)
            for name, order in orders.items()
        ]

    def configure(self) -> None:
        self._settings = parameters = read(self, CarmSimulatorParameters)
        if not parameters.case:
            raise InputError("the parameter case is empty; set it to a folder made by `radgs-reg prepare`.")
        if parameters.clock == "publish":
            if not self.get_parameter("use_sim_time").value:
                raise InputError("the parameter clock is publish, but use_sim_time is false; set it to true.")
            self._clock_publisher = ClockPublisher(self, parameters.real_time_factor)
        case = Case.load(Path(parameters.case))
        centred = selected_levels(parameters.levels, list(case.levels))
        self._exposures = ExposurePublisher(self, TRANSPORTS[parameters.image_transport])
        self.get_logger().info("ray casting the body")
        carm = CArm(pixel_mm=parameters.pixel_mm, size=parameters.image_size)
        theatre = Theatre(case, centred, carm, parameters.physics, parameters.seed)
        if parameters.publish_tf:
            self._frames = CArmFramesPublisher(
                self,
                carm,
                parameters.reference_frame,
                parameters.frame_prefix,
                OpticalFrames(parameters.carm_frame, parameters.ap_frame, parameters.lateral_frame),
            )
        mover = CommandedCArm if parameters.joint_states == "publish" else FollowedCArm
        place = mover(self, self._frames, self.diagnostics)
        self._room = _OperatingRoom(case, theatre, place, XrayLink(self, parameters.seed))
        self.parameters_changed()

    def activate(self) -> None:
        self._active = True
        if self._frames is not None:
            self._frames.publish_fixed(self.get_clock().now().nanoseconds)
        self._watch = self.create_timer(0.5, self._report_listeners, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def deactivate(self) -> None:
        with self._switching:
            self._active = False
            self._worker.cancel("the node was deactivated")
            if self._room is not None:
                self._room.link.close()
        if self._watch is not None:
            self.destroy_timer(self._watch)
            self._watch = None

    def release(self) -> None:
        if self._room is not None:
            self._room.carm.close()
        if self._exposures is not None:
            self._exposures.close()
        if self._frames is not None:
            self._frames.close()
        if self._clock_publisher is not None:
            self._clock_publisher.close()
        self._room = self._exposures = self._frames = self._clock_publisher = None

    def parameters_changed(self) -> None:
        self._settings = parameters = read(self, CarmSimulatorParameters)
        if self._clock_publisher is not None:
            self._clock_publisher.set_factor(parameters.real_time_factor)
        if self._room is not None and isinstance(self._room.carm, CommandedCArm):
            self._room.carm.turning_deg_s = parameters.turning_deg_s
            self._room.carm.table_mm_s = parameters.table_mm_s

    def stop_work(self, timeout_s: float) -> None:
        self._worker.stop(timeout_s)

    def _report_listeners(self) -> None:
        """Say who would miss an exposure: reliable topics keep nothing for subscribers that are still to come."""
        exposures = self._exposures
        if exposures is None:
            return
        values = {topic: str(count) for topic, count in exposures.subscribers().items()}
        self.diagnostics.ok("subscribers", "subscribers of each topic", **values)

    async def _on_order(
        self,
        order: Callable[[_OperatingRoom, threading.Event], str],
        _request: Trigger.Request,
        response: Trigger.Response,
    ) -> Trigger.Response:
        executor = self.executor
        assert executor is not None  # it runs this
        with self._switching:
            room = self._room
            if room is None or not self._active:
                response.message = "carm_simulator_node is not active; configure and activate it first."
                return response
            waiting = self._worker.submit(partial(order, room))
        try:
            response.message = await awaited(waiting, executor)
        except (InputError, JobCancelled) as error:
            response.message = str(error)
        except Exception as error:  # the node lives on, whatever one order does
            self.get_logger().error(traceback.format_exc())
            response.message = f"the order failed unexpectedly ({type(error).__name__}: {error})."
            self.diagnostics.error("order", response.message)
        else:
            response.success = True
            self.diagnostics.ok("order", response.message)
        return response

    def _bend(self, room: _OperatingRoom, _cancelled: threading.Event) -> str:
        """Bend the spine anew; here and below: in the worker thread."""
        room.theatre.bend(self._settings.motion_mm, self._settings.motion_deg)
        return "every level has moved"

    def _expose_both(self, room: _OperatingRoom, cancelled: threading.Event) -> str:
        """Bend the spine anew and take both X-rays."""

        def take(positions: JointPositions, photons: float) -> Exposure:
            self._bend(room, cancelled)
            return room.theatre.pair(positions, photons)

        frames = {"ap": self._settings.ap_frame, "lateral": self._settings.lateral_frame}
        return self._expose(room, cancelled, take, frames)

    def _expose_one(self, view: str, room: _OperatingRoom, cancelled: threading.Event) -> str:
        """Take one X-ray from where the C-arm is; the spine stays as it is."""

        def take(positions: JointPositions, photons: float) -> Exposure:
            if not room.theatre.is_bent:
                self._bend(room, cancelled)
            return room.theatre.single(view, positions, photons)

        return self._expose(room, cancelled, take, {view: self._settings.carm_frame})

    def _expose(
        self,
        room: _OperatingRoom,
        cancelled: threading.Event,
        take: Callable[[JointPositions, float], Exposure],
        frames: Mapping[str, str],
    ) -> str:
        """Take X-rays and publish them; returns when that was."""
        parameters = self._settings
        begin = room.carm.now()
        exposure = take(begin.positions, parameters.photons)
        with self._switching:
            if cancelled.is_set() or self._exposures is None:
                raise JobCancelled("the exposure was cancelled")
            end = room.carm.now()
            # While the C-arm stands, an exposure is of the moment when it is ready: ray casting takes a while, and at a
            # high real_time_factor that is longer than TF remembers.
            stamp_ns = (end if end.positions == begin.positions else begin).stamp_ns
            self._exposures.publish(
                exposure,
                room.case,
                Header(stamp=Time(nanoseconds=stamp_ns).to_msg(), frame_id=parameters.reference_frame),
                {view: parameters.frame_prefix + frame for view, frame in frames.items()},
                room.link,
                LinkFaults(parameters.drop_share, parameters.duplicate_share, parameters.delay_s),
            )
        return f"exposed at {seconds_text(stamp_ns)}"


def main(args: list[str] | None = None) -> int:
    """Entry point of the executable carm_simulator_node."""
    return run_node(CarmSimulatorNode, args)


if __name__ == "__main__":
    raise SystemExit(main())
