"""A registration's result as messages: what the live node publishes and what a replay records, from one function."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from radgs_core.acquisition.xray_inbox import Acquisition
from radgs_core.case import Case
from radgs_core.errors import InputError
from radgs_core.geometry.camera import VIEW_NAMES
from radgs_core.geometry.rigid import inverse
from radgs_core.messages import quality
from radgs_core.messages.factory import Message, MessageFactory
from radgs_core.messages.frames import ct_frame, vertebra_frame
from radgs_core.messages.headers import header_of
from radgs_core.messages.images import image_from_pixels
from radgs_core.messages.markers import VertebraMarkers
from radgs_core.messages.quality import Quality
from radgs_core.messages.topics import IMAGE, TF, TF_MESSAGE, TF_STATIC
from radgs_core.messages.transforms import MM_PER_M, no_pose, pose_from_matrix, tf_message, transform_stamped
from radgs_core.registration.overlay import draw_overlay
from radgs_core.registration.result import LevelResult, RegistrationResult

REJECTED, REGISTERED = 0, 1
"""Constants of radgs_reg/VertebraPose."""


@dataclass(frozen=True)
class Output:
    """A topic that carries results.

    Attributes:
        topic: its name; a relative one lies in the node's namespace.
        kind: its type, such as ``sensor_msgs/msg/Image``.
        quality: what its publisher offers.
    """

    topic: str
    kind: str
    quality: Quality


@dataclass(frozen=True)
class Outgoing:
    """A message and the topic it goes to."""

    output: Output
    message: Message


class ResultMessages:
    """Makes the messages of results.

    Every message of a result carries the stamp of the acquisition. A rejected level appears in ``vertebra_poses``,
    without a pose, and, where refinement left one, among the markers; it has no frame.
    """

    tf = Output(TF, TF_MESSAGE, quality.TF)
    tf_static = Output(TF_STATIC, TF_MESSAGE, quality.TF_STATIC)
    poses = Output("vertebra_poses", "radgs_reg/msg/VertebraPoseArray", quality.LAST_RESULT)
    markers = Output("markers", "visualization_msgs/msg/MarkerArray", quality.LAST_RESULT)

    def __init__(
        self, factory: MessageFactory, case: Case, levels: Sequence[str], reference: str, frame_prefix: str = ""
    ) -> None:
        """
        Args:
            reference: frame that poses are expressed in.
            frame_prefix: of the vertebrae's frames.

        Raises:
            InputError: ``reference`` is one of the vertebrae's frames, which hang on it.
        """
        own_frames = [name(label, frame_prefix) for label in levels for name in (vertebra_frame, ct_frame)]
        if reference in own_frames:
            raise InputError(
                f"{reference} cannot be the reference frame: it is a frame of the results, and these hang on the"
                " reference frame; choose another one, such as carm_base, or another prefix of their names."
            )
        self._factory = factory
        self._prefix = frame_prefix
        self._case = case
        self._levels = list(levels)
        self._reference = reference
        self._surfaces = VertebraMarkers(factory, case, levels, reference, frame_prefix)
        self._measured = {
            label: Output(f"vertebra_{label}/measured_cp", "geometry_msgs/msg/PoseStamped", quality.EVENTS)
            for label in levels
        }
        self._overlays = {view: Output(f"{view}/overlay", IMAGE, quality.LAST_RESULT) for view in VIEW_NAMES}

    @property
    def outputs(self) -> list[Output]:
        """Every topic that messages of this object go to."""
        return [
            self.tf,
            self.tf_static,
            *self._measured.values(),
            self.poses,
            self.markers,
            *self._overlays.values(),
        ]

    def static_frames(self, stamp_ns: int) -> Outgoing:
        """The CT's coordinates in each vertebra's frame, whether or not the vertebra is found."""
        transforms = [
            transform_stamped(
                self._factory,
                header_of(self._factory, stamp_ns, vertebra_frame(label, self._prefix)),
                ct_frame(label, self._prefix),
                inverse(self._case.levels[label].T_ct_vertebra),
            )
            for label in self._levels
        ]
        return Outgoing(self.tf_static, self._factory.make(TF_MESSAGE, transforms=transforms))

    def nothing(self, stamp_ns: int) -> list[Outgoing]:
        """In place of an earlier result on every latched topic: no level and no pictures."""
        header = header_of(self._factory, stamp_ns, self._reference)
        return [Outgoing(self.poses, self._factory.make(self.poses.kind, header=header)), *self.no_pictures(stamp_ns)]

    def no_pictures(self, stamp_ns: int) -> list[Outgoing]:
        """In place of earlier pictures: no marker, an image of one black pixel."""
        header = header_of(self._factory, stamp_ns, self._reference)
        black = image_from_pixels(self._factory, np.zeros((1, 1, 3), np.uint8), "rgb8", header)
        return [self.no_markers(), *(Outgoing(output, black) for output in self._overlays.values())]

    def no_markers(self) -> Outgoing:
        """In place of earlier markers, also those of another case."""
        return Outgoing(self.markers, self._surfaces.nothing())

    def of(self, result: RegistrationResult, acquisition: Acquisition) -> list[Outgoing]:
        """What whoever steers by a result waits for, in the order in which it is to be sent."""
        header = header_of(self._factory, acquisition.stamp_ns, self._reference)
        T_reference_vertebra = {
            label: level.T_reference_ct @ self._case.levels[label].T_ct_vertebra
            for label, level in result.registered.items()
        }
        messages = []
        if T_reference_vertebra:
            frames = {vertebra_frame(label, self._prefix): T for label, T in T_reference_vertebra.items()}
            messages.append(Outgoing(self.tf, tf_message(self._factory, header, frames)))
        for label, T in T_reference_vertebra.items():
            pose = pose_from_matrix(self._factory, T)
            stamped = self._factory.make("geometry_msgs/msg/PoseStamped", header=header, pose=pose)
            messages.append(Outgoing(self._measured[label], stamped))
        messages.append(Outgoing(self.poses, self._vertebra_poses(header, result)))
        return messages

    def pictures(self, result: RegistrationResult, acquisition: Acquisition) -> list[Outgoing]:
        """What people look at: markers and overlays, which take a while to make."""
        poses = {label: level.T_reference_ct for label, level in result.registered.items()}
        messages = [Outgoing(self.markers, self._surfaces.message(acquisition.stamp_ns, result.levels))]
        for view, output in self._overlays.items():
            pixels = draw_overlay(result.observations[view], self._case, poses)
            header = header_of(self._factory, acquisition.stamps_ns[view], acquisition.frames[view])
            messages.append(Outgoing(output, image_from_pixels(self._factory, pixels, "rgb8", header)))
        return messages

    def _vertebra_poses(self, header: Message, result: RegistrationResult) -> Message:
        """Every level; the poses of a rejected one are no numbers."""
        vertebrae = [self._vertebra_pose(level) for level in result.levels.values()]
        return self._factory.make("radgs_reg/msg/VertebraPoseArray", header=header, vertebrae=vertebrae)

    def _vertebra_pose(self, level: LevelResult) -> Message:
        registered = level.status == "registered"
        T_ct_vertebra = self._case.levels[level.label].T_ct_vertebra
        if registered:
            pose = pose_from_matrix(self._factory, level.T_reference_ct @ T_ct_vertebra)
            ct_pose = pose_from_matrix(self._factory, level.T_reference_ct)
        else:
            pose = ct_pose = no_pose(self._factory)
        return self._factory.make(
            "radgs_reg/msg/VertebraPose",
            label=level.label,
            status=REGISTERED if registered else REJECTED,
            reason=level.reason,
            pose=pose,
            ct_pose=ct_pose,
            expected_tre_m=level.expected_tre_mm / MM_PER_M,
            similarity_ap=level.similarity.get("ap", math.nan),
            similarity_lateral=level.similarity.get("lateral", math.nan),
            iterations=level.iterations,
            converged=level.converged,
        )
