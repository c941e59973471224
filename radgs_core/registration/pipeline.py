"""Two X-rays in, one pose and verdict per vertebra out."""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from radgs_core.case import Case
from radgs_core.errors import InputError
from radgs_core.geometry.camera import BiplanarGeometry, XrayCamera
from radgs_core.geometry.rigid import checked_rigid, inverse
from radgs_core.progress import Progress
from radgs_core.registration.overlay import draw_overlay
from radgs_core.registration.refinement import refine
from radgs_core.registration.result import LevelResult, RegistrationResult
from radgs_core.registration.start import start_poses
from radgs_core.registration.subject import Subject
from radgs_core.registration.verdict import judge
from radgs_core.xray.carm import CArm, biplanar_geometry, body_pose
from radgs_core.xray.observation import observe

__all__ = [
    "BiplanarGeometry",
    "InputError",
    "LevelResult",
    "RegistrationResult",
    "SpineRegistration",
    "XrayCamera",
    "draw_overlay",
    "inverse",
    "register",
]

COARSE_VOXEL_MM = 4.0


class SpineRegistration:
    """Registers the levels of a case to X-rays, again and again: what does not depend on the X-rays is made once.

    Args:
        case: the prepared patient.
    """

    def __init__(self, case: Case) -> None:
        self._case = case
        self._subject = Subject.of(case)

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
        self.register(images, geometry, dict.fromkeys(levels, pose))

    def register(
        self,
        images: Mapping[str, NDArray],
        geometry: BiplanarGeometry,
        initial: Mapping[str, NDArray[np.float64]],
        levels: Sequence[str] | None = None,
        progress: Progress | None = None,
    ) -> RegistrationResult:
        """Register to two X-rays.

        All levels of the case are always modelled, because they overlap in the images; ``levels`` says which are
        reported.

        Args:
            images: per view (``ap``, ``lateral``) (height, width) pixels as the view's ``intensity`` says.
            geometry: both views.
            initial: start poses ``T_reference_ct`` (4, 4), mm, of the reported levels; of others where known.
            levels: which levels to report; all by default.
            progress: called with a fraction and a message.

        Returns:
            One result per reported level, rejected ones included.

        Raises:
            InputError: an image that does not fit its view or shows nothing, an unknown level, or a start pose that is
                missing or not rigid.
        """
        began = time.perf_counter()
        levels = list(self._case.levels) if levels is None else list(levels)
        for level in (*levels, *initial):
            if level not in self._case.levels:
                raise InputError(
                    f"{level} is not in the case, which holds {', '.join(self._case.levels)};"
                    " prepare it or leave it out."
                )
        missing = [level for level in levels if level not in initial]
        if missing:
            raise InputError(f"no start pose is given for {', '.join(missing)}; add T_reference_ct of these levels.")
        for name in geometry.views:
            if name not in images:
                raise InputError(f"the {name} image is missing; give both views.")
        start = {level: checked_rigid(pose, f"start pose of {level}") for level, pose in initial.items()}
        views = list(geometry.views)
        with ThreadPoolExecutor(len(views)) as threads:
            observations = list(threads.map(lambda view: observe(images[view], geometry.views[view]), views))
        refined = refine(
            self._subject, observations, start_poses(self._case, start), progress or (lambda fraction, message: None)
        )
        results = judge(self._case, views, observations, refined)
        return RegistrationResult(
            geometry.reference,
            {level: results[level] for level in levels},
            refined.poses.body,
            time.perf_counter() - began,
        )


def register(
    case: Case,
    images: Mapping[str, NDArray],
    geometry: BiplanarGeometry,
    initial: Mapping[str, NDArray[np.float64]],
    levels: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> RegistrationResult:
    """Register the levels of a case to two X-rays, once; see `SpineRegistration`."""
    return SpineRegistration(case).register(images, geometry, initial, levels, progress)
