"""Joint refinement of the body's and every vertebra's pose against the X-rays.

The local gradient correlation (`similarity`) is maximised coarse to fine (`stages`). At first everything moves as one
rigid body, which brings a wrong start into reach, a very wrong one by way of others around it (`multi_start`); then
each vertebra moves on its own, and so does the body, whose edges lie over every vertebra.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from radgs_core.kernels.engine import be_one_of_several
from radgs_core.progress import Progress
from radgs_core.registration.levenberg_marquardt import maximise
from radgs_core.registration.multi_start import best_of_starts, leads_nowhere
from radgs_core.registration.objective import Objective
from radgs_core.registration.scene import ScenePoses
from radgs_core.registration.stages import STAGES, Stage
from radgs_core.registration.subject import Subject
from radgs_core.xray.observation import Observation


@dataclass(frozen=True)
class Refined:
    """Where refinement ended.

    Attributes:
        poses: of the body and the vertebrae.
        converged: the last stage came to rest.
        iterations: over all stages; what other starts took is not counted.
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
        objective_at = partial(Objective, subject, observations, threads)
        for number, stage in enumerate(stages, 1):
            objective = objective_at(stage, poses)

            def report(iteration: int, planned: int = planned, number: int = number) -> None:
                progress((planned + iteration) / total, f"refining, stage {number} of {len(stages)}")

            solution = maximise(objective.evaluate, objective.moved, poses, stage.iterations, report)
            if number == 1 and stage.rigid and leads_nowhere(solution):
                progress((planned + stage.iterations) / total, "refining, trying other starts")
                solution = best_of_starts(objective_at, start, stage, solution)
            poses = solution.state
            iterations += solution.iterations
            planned += stage.iterations
    progress(1.0, "refined")
    last = solution.evaluation
    return Refined(poses, solution.converged, iterations, last.similarity, last.bone_similarity, last.information)
