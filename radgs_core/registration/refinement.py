"""Joint refinement of the body's and every vertebra's pose against the X-rays.

The local gradient correlation (`similarity`) is maximised coarse to fine (`stages`). At first everything moves as one
rigid body, which brings a wrong start into reach, a very wrong one by way of others around it (`multi_start`); then
each vertebra moves on its own, and so does the body, whose edges lie over every vertebra. Where networks see the
vertebrae is where they start then, and a prior (`level_prior`).
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from radgs_core.kernels.engine import be_one_of_several
from radgs_core.progress import Progress
from radgs_core.registration.level_prior import LevelPrior
from radgs_core.registration.levenberg_marquardt import maximise
from radgs_core.registration.multi_start import Found, ObjectiveAt, best_of_starts, leads_nowhere
from radgs_core.registration.objective import Objective
from radgs_core.registration.scene import ScenePoses
from radgs_core.registration.stages import LEVEL_STAGES, RIGID_STAGES
from radgs_core.registration.subject import Subject
from radgs_core.xray.observation import Observation

STAGES = (*RIGID_STAGES, *LEVEL_STAGES)
ITERATIONS = sum(stage.iterations for stage in STAGES)
PLACED_SHARE = sum(stage.iterations for stage in RIGID_STAGES) / ITERATIONS
"""Of the progress, when everything is placed."""


@dataclass(frozen=True)
class Refined:
    """Where refinement ended.

    Attributes:
        poses: of the body and the vertebrae.
        converged: the last stage came to rest.
        iterations: over all stages; what other starts took is not counted.
        similarity: (V, L) mean local correlation over each vertebra's footprint in each view.
        bone_similarity: (V, L) mean partial correlation there: what the vertebrae explain and the body does not.
        information: (6 + 6 L, 6 + 6 L) curvature of the similarity over the twists of the body and the vertebrae, mm
            and rad, each vertebra's about its centroid.
        precision: the same with the prior; its inverse is the shape of the uncertainty.
    """

    poses: ScenePoses
    converged: bool
    iterations: int
    similarity: NDArray[np.float64]
    bone_similarity: NDArray[np.float64]
    information: NDArray[np.float64]
    precision: NDArray[np.float64]


@dataclass(frozen=True)
class Placed:
    """Where everything lies after it has moved as one.

    Attributes:
        poses: of the body and the vertebrae.
        iterations: over all rigid stages; what other starts took is not counted.
    """

    poses: ScenePoses
    iterations: int


def place(subject: Subject, observations: Sequence[Observation], start: ScenePoses, progress: Progress) -> Placed:
    """Move everything as one rigid body until it lies in all views where the X-rays show it.

    Args:
        subject: the prepared patient.
        observations: the X-rays.
        start: initial poses, reference frame, mm.
        progress: called with a fraction of the whole refinement and a message.
    """
    placed = Placed(start, 0)
    with _objectives(subject, observations) as objective_at:
        for number, stage in enumerate(RIGID_STAGES):
            solution = _maximised(objective_at, number, placed.poses, progress)
            if number == 0 and leads_nowhere(solution):
                progress(stage.iterations / ITERATIONS, "refining, trying other starts")
                solution = best_of_starts(objective_at, start, stage, solution)
            placed = Placed(solution.state, placed.iterations + solution.iterations)
    return placed


def refine(
    subject: Subject,
    observations: Sequence[Observation],
    placed: Placed,
    seen: NDArray[np.float64] | None,
    progress: Progress,
) -> Refined:
    """Move the body and each vertebra on its own until they agree with all views.

    Args:
        subject: the prepared patient.
        observations: the X-rays.
        placed: where the body starts, and the vertebrae if they are not ``seen``.
        seen: ``T_reference_ct`` (L, 4, 4), mm, where networks see the vertebrae.
        progress: called with a fraction of the whole refinement and a message.
    """
    poses, iterations, prior = placed.poses, placed.iterations, None
    if seen is not None:
        poses, prior = ScenePoses(poses.body, seen), LevelPrior(seen, subject.centres_ct_mm)
    with _objectives(subject, observations) as objective_at:
        for number in range(len(RIGID_STAGES), len(STAGES)):
            solution = _maximised(partial(objective_at, prior=prior), number, poses, progress)
            poses = solution.state
            iterations += solution.iterations
    progress(1.0, "refined")
    last = solution.evaluation
    return Refined(
        poses,
        solution.converged,
        iterations,
        last.similarity,
        last.bone_similarity,
        last.information,
        last.precision,
    )


@contextmanager
def _objectives(subject: Subject, observations: Sequence[Observation]) -> Iterator["partial[Objective]"]:
    """What makes objectives, with a thread a view."""
    with ThreadPoolExecutor(len(observations), initializer=be_one_of_several) as threads:
        yield partial(Objective, subject, observations, threads)


def _maximised(objective_at: ObjectiveAt, number: int, start: ScenePoses, progress: Progress) -> Found:
    """Go through a stage."""
    stage, before = STAGES[number], sum(stage.iterations for stage in STAGES[:number])
    objective = objective_at(stage, start)
    return maximise(
        objective.evaluate,
        objective.moved,
        start,
        stage.iterations,
        lambda iteration: progress((before + iteration) / ITERATIONS, f"refining, stage {number + 1} of {len(STAGES)}"),
    )
