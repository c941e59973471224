"""The objective of one stage over all views, in millimetres of shift and turn."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radgs_core.geometry.rigid import transform_points
from radgs_core.registration.level_prior import LevelPrior
from radgs_core.registration.scene import ScenePoses
from radgs_core.registration.stage_view import StageView
from radgs_core.registration.stages import Stage
from radgs_core.registration.subject import Subject
from radgs_core.xray.observation import Observation

LEVER_MM = 40.0
"""Turns radians into millimetres of step: about the radius of a vertebra with its processes."""


@dataclass(frozen=True)
class ObjectiveEvaluation:
    """The objective over all views at some poses, and its quadratic model there.

    Attributes:
        score: mean over views of half the squared local correlation, and the prior; to be maximised.
        gradient: (P,) by the parameters of the stage.
        curvature: (P, P) Gauss-Newton, by the same.
        similarity: (V, L) mean local correlation over each vertebra's footprint in each view.
        bone_similarity: (V, L) mean partial correlation of bone over it.
        information: (6 + 6 L, 6 + 6 L) curvature by the twists of the body and the vertebrae, mm and rad, each
            vertebra's about its centroid; that of the images alone.
        precision: the same with the prior.
    """

    score: float
    gradient: NDArray[np.float64]
    curvature: NDArray[np.float64]
    similarity: NDArray[np.float64]
    bone_similarity: NDArray[np.float64]
    information: NDArray[np.float64]
    precision: NDArray[np.float64]


class Objective:
    """The objective of one stage: the mean over views. Parameters: millimetres of shift and, by a lever, of turn.

    Args:
        subject: the prepared patient.
        observations: the X-rays.
        threads: evaluate the views, one each.
        stage: the scale, and what may move.
        start: poses at the beginning of the stage (see `StageView`); twists turn about the centroids there.
        prior: what is known of the levels without the images, if anything; not for a rigid stage.
    """

    def __init__(
        self,
        subject: Subject,
        observations: Sequence[Observation],
        threads: ThreadPoolExecutor,
        stage: Stage,
        start: ScenePoses,
        prior: LevelPrior | None = None,
    ) -> None:
        self._threads = threads
        self._prior = prior
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

    def evaluate(self, poses: ScenePoses) -> ObjectiveEvaluation:
        """The objective at some poses."""
        views = list(self._threads.map(lambda view: view.evaluate(poses, self._centres_mm), self._views))
        basis = self._twists_of_parameters
        score = float(np.mean([view.score for view in views]))
        gradient = np.mean([view.gradient for view in views], axis=0)
        precision = information = np.mean([view.curvature for view in views], axis=0)
        if self._prior:
            known = self._prior.evaluate(poses)
            score, gradient, precision = score + known.score, gradient + known.gradient, precision + known.curvature
        return ObjectiveEvaluation(
            score=score,
            gradient=basis.T @ gradient,
            curvature=basis.T @ precision @ basis,
            similarity=np.stack([view.similarity for view in views]),
            bone_similarity=np.stack([view.bone_similarity for view in views]),
            information=information,
            precision=precision,
        )

    def moved(self, poses: ScenePoses, step: NDArray[np.float64]) -> ScenePoses:
        """Poses after a step (P,) of the parameters: (6,) of a rigid stage, (6 + 6 L,) of another."""
        return poses.moved((self._twists_of_parameters @ step).reshape(-1, 6), self._centres_mm)
