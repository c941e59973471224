"""What `benchmarks.accuracy` compares, each behind the same interface (`radgs_core.evaluation.System`)."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from benchmarks.peer import Peer
from radgs_core.case import Case
from radgs_core.commands.register import poses_of
from radgs_core.evaluation import SystemResult
from radgs_core.geometry.camera import BiplanarGeometry
from radgs_core.io import LevelPose, Poses
from radgs_core.registration.pipeline import SpineRegistration
from radgs_core.registration.pipeline_stages import Stages

Images = Mapping[str, NDArray]
Pose = NDArray[np.float64]


class FromStart:
    """A start is given, so that nothing has to be found; networks, if the case has them, look from the placed body, as
    they do without a start."""

    def __init__(self, case: Case) -> None:
        self._levels = list(case.levels)
        self._registration = SpineRegistration(case)

    def register(self, images: Images, geometry: BiplanarGeometry, start: Pose) -> SystemResult:
        result = self._registration.register(images, geometry, dict.fromkeys(self._levels, start))
        return SystemResult(poses_of(result), result.seconds, result.seconds_by_stage)


class PeerFromStart:
    """The peer, each level on its own at the end; it gives no verdicts, so all its levels count as registered."""

    def __init__(self, case: Case) -> None:
        self._levels = list(case.levels)
        self._peer = Peer(case)

    def register(self, images: Images, geometry: BiplanarGeometry, start: Pose) -> SystemResult:
        found = self._peer.found(images, geometry, start)
        poses = {label: LevelPose(pose) for label, pose in zip(self._levels, found.per_level, strict=True)}
        stages = {"rigid": found.rigid_seconds, "per level": found.seconds - found.rigid_seconds}
        return SystemResult(Poses(geometry.reference, poses), found.seconds, stages)


class Pipeline:
    """No start is looked at. What RecM reconstructs is handed on only where refinement is left out, since judging it
    takes longer than registering: RecM then begins at what detection found, in the whole system at the placed body."""

    def __init__(self, case: Case, stages: Stages) -> None:
        self._levels = list(case.levels)
        self._stages = stages
        self._registration = SpineRegistration(case, stages)

    def register(self, images: Images, geometry: BiplanarGeometry, start: Pose) -> SystemResult:
        result = self._registration.register(images, geometry)
        learned = None if self._stages.refinement else result.learned
        reconstructions = learned.reconstructions if learned else ()
        by_level = dict(zip(self._levels, reconstructions, strict=False))
        return SystemResult(poses_of(result), result.seconds, result.seconds_by_stage, by_level)
