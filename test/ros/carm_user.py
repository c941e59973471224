"""Whoever works with the simulated C-arm: moves it, has X-rays taken, and sees what comes."""

import math
import time
from dataclasses import dataclass
from typing import Any

from radgs_reg.msg import VertebraPoseArray
from rclpy.publisher import Publisher
from sensor_msgs.msg import CameraInfo, Image, JointState

from radgs_core.acquisition.pairing import VIEWS
from radgs_core.messages.stamps import nanoseconds, seconds_text
from radgs_core.xray.carm_joints import JointPositions, with_joint_values
from radgs_reg_ros import qos
from radgs_reg_ros.rig.remote import Remote
from radgs_reg_ros.tf_buffer_topics import TopicTfBuffer

SIMULATOR = "/carm_simulator_node"
LONG = 120.0


@dataclass(frozen=True)
class Received:
    """A message and when it came, of time.monotonic()."""

    message: Any
    at_s: float


class CArmUser:
    """Listens to all that the simulator publishes."""

    def __init__(self, remote: Remote) -> None:
        self.remote = remote
        self.images = {view: self._received(Image, f"/{view}/image") for view in VIEWS}
        self.infos = {view: self._received(CameraInfo, f"/{view}/camera_info") for view in VIEWS}
        self.states = remote.listen(JointState, "/joint_states", qos.events())
        self.truth = remote.listen(VertebraPoseArray, "/ground_truth/vertebra_poses", qos.last_result())
        self.buffer = TopicTfBuffer(remote.node)
        self._command: Publisher[Any] | None = None

    def command(self, **joints: float) -> None:
        """Send positions, radians and metres, by joint."""
        if self._command is None:
            self._command = self.remote.publisher(JointState, "/carm/command", qos.events())
        self._command.publish(JointState(name=list(joints), position=list(joints.values())))

    def move(self, **joints: float) -> None:
        """Send positions and wait until the C-arm stands there."""
        self.command(**joints)

        def arrived() -> bool:
            if not self.states:
                return False
            state = self.states[-1]
            at = dict(zip(state.name, state.position, strict=True))
            return not any(state.velocity) and all(math.isclose(at[n], v, abs_tol=1e-9) for n, v in joints.items())

        self.remote.wait_for(arrived, f"the C-arm at {joints}", LONG)

    def order(self, service: str) -> str:
        """Call one of the simulator's services, which must succeed; returns its answer."""
        answer = self.remote.trigger(f"{SIMULATOR}/{service}", LONG)
        assert answer.success, answer.message
        return answer.message

    def expose(self, service: str) -> VertebraPoseArray:
        """Have X-rays taken; returns their truth, and not before their camera_info has come."""
        truth = self.expose_with_faults(service)
        views = [service.removeprefix("expose_")] if "_" in service else VIEWS
        for view in views:
            self.remote.wait_for(lambda view=view: self.of(self.infos[view], truth), f"{view}/camera_info", LONG)
        return truth

    def expose_with_faults(self, service: str) -> VertebraPoseArray:
        """Have X-rays taken that may come late or not at all; returns their truth."""
        answer = self.order(service)
        return self.remote.wait_for(
            lambda: next((t for t in self.truth if seconds_text(nanoseconds(t.header.stamp)) in answer), None),
            "the truth of the exposure",
            LONG,
        )

    def image(self, view: str, truth: VertebraPoseArray) -> Image:
        """The image of an exposure."""
        return self.remote.wait_for(lambda: self.of(self.images[view], truth), f"{view}/image", LONG)[0].message

    def positions(self, truth: VertebraPoseArray) -> JointPositions:
        """Where the joints were at the stamp of an exposure, as a message of just that stamp says."""
        state = self.remote.wait_for(
            lambda: next((s for s in self.states if s.header.stamp == truth.header.stamp), None), "joint states", LONG
        )
        return with_joint_values(JointPositions(), state.name, state.position, "joint_states")

    def of(self, received: list[Received], truth: VertebraPoseArray) -> list[Received]:
        """What came with the stamp of an exposure."""
        return [r for r in received if r.message.header.stamp == truth.header.stamp]

    def _received(self, kind: type, topic: str) -> list[Received]:
        received: list[Received] = []
        self.remote.node.create_subscription(
            kind, topic, lambda m: received.append(Received(m, time.monotonic())), qos.images_in("reliable")
        )
        return received
