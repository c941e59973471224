"""Two X-rays in, one pose and verdict per vertebra out."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from radgs_core.case import Case
from radgs_core.detection.finder import Finder
from radgs_core.errors import InputError
from radgs_core.geometry.camera import BiplanarGeometry, XrayCamera
from radgs_core.geometry.rigid import checked_rigid, inverse
from radgs_core.progress import Progress
from radgs_core.registration.learned import LearnedRegistration
from radgs_core.registration.overlay import draw_overlay
from radgs_core.registration.pipeline_stages import EVERY_STAGE, Stages
from radgs_core.registration.refinement import PLACED_SHARE, place, refine
from radgs_core.registration.result import LevelResult, RegistrationResult
from radgs_core.registration.scene import ScenePoses
from radgs_core.registration.stage_clock import StageClock
from radgs_core.registration.start import start_poses
from radgs_core.registration.subject import Subject
from radgs_core.registration.verdict import judge, not_found, unverified
from radgs_core.xray.carm import CArm, biplanar_geometry, body_pose
from radgs_core.xray.observation import Observation, observe

__all__ = [
    "BiplanarGeometry",
    "InputError",
    "LevelResult",
    "RegistrationResult",
    "SpineRegistration",
    "Stages",
    "XrayCamera",
    "draw_overlay",
    "inverse",
    "register",
]

COARSE_VOXEL_MM = 4.0


class SpineRegistration:
    """Registers the levels of a case to X-rays, again and again: what does not depend on the X-rays is made once.

    Without a start, networks that were trained for this patient find the levels. The body is placed as one, RecM and
    RegM correct every level, and then renderings are compared with the images until they agree.

    Args:
        case: the prepared patient.
        stages: what to go through.
    """

    def __init__(self, case: Case, stages: Stages = EVERY_STAGE) -> None:
        self._case = case
        self._stages = stages
        self._subject = Subject.of(case)
        networks = case.networks
        self._finder = Finder(case, networks) if networks and stages.detection else None
        self._learned = LearnedRegistration(case, networks, self._subject.body) if networks and stages.learned else None

    @property
    def needs_start(self) -> bool:
        """Whether every registration needs start poses, because nothing here can find the levels."""
        return self._finder is None

    def warm_up(self) -> None:
        """Compile or load the kernels and make what the first registration would make, by registering made-up X-rays.

        Raises:
            InputError: the kernels cannot be compiled.
        """
        geometry = biplanar_geometry(CArm())
        levels = list(self._case.levels)
        pose = body_pose(self._case, levels)
        body = self._subject.body.averaged(COARSE_VOXEL_MM)
        images = {
            view: np.exp(-body.line_integral_with_pose_derivatives(camera, pose, np.zeros(3))[0].numpy())
            for view, camera in geometry.views.items()
        }
        observations = self._observed(images, geometry)
        if self._finder:
            self._finder.find(observations)
        self.register(images, geometry, dict.fromkeys(levels, pose))

    def register(
        self,
        images: Mapping[str, NDArray],
        geometry: BiplanarGeometry,
        initial: Mapping[str, NDArray[np.float64]] | None = None,
        levels: Sequence[str] | None = None,
        progress: Progress | None = None,
    ) -> RegistrationResult:
        """Register to two X-rays.

        All levels of the case are always modelled, because they overlap in the images; ``levels`` says which are
        reported.

        Args:
            images: per view (``ap``, ``lateral``) (height, width) pixels as the view's ``intensity`` says.
            geometry: both views.
            initial: start poses ``T_reference_ct`` (4, 4), mm, of the reported levels; of others where known. None: the
                levels are found in the images.
            levels: which levels to report; all by default.
            progress: called with a fraction and a message.

        Returns:
            One result per reported level, rejected ones included.

        Raises:
            InputError: an image that does not fit its view or shows nothing, an unknown level, a start pose that is
                missing or not rigid, or no start at all although the case has no networks (or detection is left out).
        """
        progress = progress or (lambda fraction, message: None)
        clock = StageClock()
        levels = list(self._case.levels) if levels is None else list(levels)
        self._check_request(geometry, images, levels, initial)
        with clock.timed("images"):
            observations = self._observed(images, geometry)
        by_view = dict(zip(geometry.views, observations, strict=True))
        start = self._start(observations, initial, clock, progress)
        if isinstance(start, str):
            return RegistrationResult(
                geometry.reference,
                not_found(levels, start),
                np.eye(4),
                clock.seconds,
                clock.seconds_by_stage,
                None,
                by_view,
            )
        if self._stages.refinement:
            with clock.timed("placement"):
                placed = place(self._subject, observations, start, progress)
            # Once the body is placed, its unbent levels are a better start for the networks than what was given or
            # found, and one that owes nothing to it.
            start = self._unbent(placed.poses.body)
        learned, seen = None, None
        if self._learned:
            progress(PLACED_SHARE if self._stages.refinement else 0.0, "reconstructing the levels")
            with clock.timed("learned"):
                learned = self._learned.register(observations, start)
            seen = learned.T_reference_ct
        if self._stages.refinement:
            with clock.timed("refinement"):
                refined = refine(self._subject, observations, placed, seen, progress)
            with clock.timed("verdict"):
                results = judge(self._case, list(geometry.views), observations, refined, learned)
            body = refined.poses.body
        else:
            body = start.body
            results = unverified(self._case, start.levels if seen is None else seen)
        return RegistrationResult(
            geometry.reference,
            {level: results[level] for level in levels},
            body,
            clock.seconds,
            clock.seconds_by_stage,
            learned,
            by_view,
        )

    def _start(
        self,
        observations: Sequence[Observation],
        initial: Mapping[str, NDArray[np.float64]] | None,
        clock: StageClock,
        progress: Progress,
    ) -> ScenePoses | str:
        """Where body and levels are expected: as given, or as found; or why nothing was found."""
        if initial is not None:
            given = {level: checked_rigid(pose, f"start pose of {level}") for level, pose in initial.items()}
            return start_poses(self._case, given)
        assert self._finder is not None, "checked with the request"
        progress(0.0, "finding the levels")
        with clock.timed("detection"):
            found = self._finder.find(observations)
        if found.reason:
            return found.reason
        return ScenePoses(
            found.T_reference_body, np.stack([found.T_reference_level[level] for level in self._case.levels])
        )

    def _unbent(self, body: NDArray[np.float64]) -> ScenePoses:
        """Every level where the CT has it in the body."""
        return ScenePoses(body, np.stack([body] * len(self._case.levels)))

    def _check_request(
        self,
        geometry: BiplanarGeometry,
        images: Mapping[str, NDArray],
        levels: Sequence[str],
        initial: Mapping[str, NDArray[np.float64]] | None,
    ) -> None:
        for level in (*levels, *(initial or ())):
            if level not in self._case.levels:
                raise InputError(
                    f"{level} is not in the case, which holds {', '.join(self._case.levels)};"
                    " prepare it or leave it out."
                )
        for name in geometry.views:
            if name not in images:
                raise InputError(f"the {name} image is missing; give both views.")
        if initial is not None:
            missing = [level for level in levels if level not in initial]
            if missing:
                raise InputError(
                    f"no start pose is given for {', '.join(missing)}; add T_reference_ct of these levels."
                )
        elif self._finder is None:
            raise InputError(
                "no start pose is given, and the case has no networks that find the levels; give one, or prepare the"
                " case with radgs-reg prepare --minutes."
            )

    def _observed(self, images: Mapping[str, NDArray], geometry: BiplanarGeometry) -> list[Observation]:
        with ThreadPoolExecutor(len(geometry.views)) as threads:
            return list(threads.map(lambda view: observe(images[view], geometry.views[view]), geometry.views))


def register(
    case: Case,
    images: Mapping[str, NDArray],
    geometry: BiplanarGeometry,
    initial: Mapping[str, NDArray[np.float64]] | None = None,
    levels: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> RegistrationResult:
    """Register the levels of a case to two X-rays, once; see `SpineRegistration`."""
    return SpineRegistration(case).register(images, geometry, initial, levels, progress)
