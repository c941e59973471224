"""Joint refinement of the body's and every vertebra's pose against the X-rays.

The local gradient correlation (`similarity`) is maximised coarse to fine (`stages`). At first everything moves as one
rigid body, which brings a wrong start into reach; then each vertebra moves on its own, and so does the body, whose
edges lie over every vertebra.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radgs_core.geometry.rigid import transform_points
from radgs_core.kernels.engine import be_one_of_several
from radgs_core.progress import Progress
from radgs_core.registration.levenberg_marquardt import maximise
from radgs_core.registration.scene import ScenePoses
from radgs_core.registration.stage_view import StageView
from radgs_core.registration.stages import STAGES, Stage
from radgs_core.registration.subject import Subject
from radgs_core.xray.observation import Observation

LEVER_MM = 40.0
"""Turns radians into millimetres of step: about the radius of a vertebra with its processes."""


@dataclass(frozen=True)
class Refined:
    """Where refinement ended.

    Attributes:
        poses: of the body and the vertebrae.
        converged: the last stage came to rest.
        iterations: over all stages.
        similarity: (V, L) mean local correlation over each vertebra's footprint in each view.
        bone_similarity: (V, L) mean partial correlation there: what the vertebrae explain and the body does not.
        information: (6 + 6 L, 6 + 6 L) curvature of the objective over the twists of the body and the vertebrae, mm and
            rad, each vertebra's about its centroid; its inverse is the shape of the uncertainty.
    """

    poses: ScenePoses
    converged: bool
    iterations: int
    similarity: NDArray[np.float64]
    bone_similarity: NDArray[np.float64]
    information: NDArray[np.float64]


def refine(
    subject: Subject,
    observations: Sequence[Observation],
    start: ScenePoses,
    progress: Progress,
    stages: Sequence[Stage] = STAGES,
) -> Refined:
    """Refine poses against all views at once; one thread a view.

    Args:
        subject: the prepared patient.
        observations: the X-rays.
        start: initial poses, reference frame, mm.
        progress: called with a fraction and a message.
        stages: coarse to fine; the last one must not be rigid.
    """
    total = sum(stage.iterations for stage in stages)
    poses, iterations, planned = start, 0, 0
    with ThreadPoolExecutor(len(observations), initializer=be_one_of_several) as threads:
        for number, stage in enumerate(stages, 1):
            objective = _Objective(subject, observations, poses, stage, threads)

            def report(iteration: int, planned: int = planned, number: int = number) -> None:
                progress((planned + iteration) / total, f"refining, stage {number} of {len(stages)}")

            solution = maximise(objective.evaluate, objective.moved, poses, stage.iterations, report)
            poses = solution.state
            iterations += solution.iterations
            planned += stage.iterations
    progress(1.0, "refined")
    last = solution.evaluation
    return Refined(poses, solution.converged, iterations, last.similarity, last.bone_similarity, last.information)


@dataclass(frozen=True)
class _Evaluation:
    """The objective over all views, in the parameters of the stage; see `Refined` for the rest."""

    score: float
    gradient: NDArray[np.float64]
    curvature: NDArray[np.float64]
    similarity: NDArray[np.float64]
    bone_similarity: NDArray[np.float64]
    information: NDArray[np.float64]


class _Objective:
    """The objective of one stage: the mean over views. Parameters: millimetres of shift and, by a lever, of turn."""

    def __init__(
        self,
        subject: Subject,
        observations: Sequence[Observation],
        start: ScenePoses,
        stage: Stage,
        threads: ThreadPoolExecutor,
    ) -> None:
        self._threads = threads
        self._views = list(threads.map(lambda observed: StageView(subject, observed, stage, start), observations))
        centroids = np.stack(
            [transform_points(pose, c) for pose, c in zip(start.levels, subject.centres_ct_mm, strict=True)]
        )
        middle = centroids.mean(0, keepdims=True)
        objects = 1 + len(centroids)
        scaled = np.diag([1.0, 1.0, 1.0, 1 / LEVER_MM, 1 / LEVER_MM, 1 / LEVER_MM])
        if stage.rigid:  # the same twist about the same centre for all
            self._centres_mm = np.repeat(middle, objects, 0)
            self._twists_of_parameters = np.tile(scaled, (objects, 1))
        else:
            self._centres_mm = np.concatenate([middle, centroids])
            self._twists_of_parameters = np.kron(np.eye(objects), scaled)

    def evaluate(self, poses: ScenePoses) -> _Evaluation:
        views = list(self._threads.map(lambda view: view.evaluate(poses, self._centres_mm), self._views))
        basis = self._twists_of_parameters
        information = np.mean([view.curvature for view in views], axis=0)
        return _Evaluation(
            score=float(np.mean([view.score for view in views])),
            gradient=basis.T @ np.mean([view.gradient for view in views], axis=0),
            curvature=basis.T @ information @ basis,
            similarity=np.stack([view.similarity for view in views]),
            bone_similarity=np.stack([view.bone_similarity for view in views]),
            information=information,
        )

    def moved(self, poses: ScenePoses, step: NDArray[np.float64]) -> ScenePoses:
        return poses.moved((self._twists_of_parameters @ step).reshape(-1, 6), self._centres_mm)
