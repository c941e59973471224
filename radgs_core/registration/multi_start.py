"""Other starts, for when the first stage leads nowhere from the given one.

The first stage reaches far along a shift, but turns of more than 20 degrees or so lead it astray. The rendering then
has hardly anything in common with the X-rays, which shows in the objective. So turns of everything about the given
start are tried, each briefly and at a coarser scale still; from the best of them the first stage is made again.
"""

import itertools
import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from radgs_core.registration.levenberg_marquardt import Solution, maximise
from radgs_core.registration.objective import LEVER_MM, Objective, ObjectiveEvaluation
from radgs_core.registration.scene import ScenePoses
from radgs_core.registration.stages import Stage

ObjectiveAt = Callable[[Stage, ScenePoses], Objective]
Found = Solution[ScenePoses, ObjectiveEvaluation]

LEAST_CORRELATION = 0.85
"""Root mean square over windows of the local correlation that the first stage must reach."""
COARSER = Stage(pixel_mm=9.6, blur_mm=16.0, window_mm=60.0, body_share=1.0, rigid=True, iterations=6)
"""The scale at which turns are tried."""
BRIEFLY = 1
"""After so many iterations it shows which turns are good."""
TURN_DEG = 28.0
"""About an axis of the reference frame; about two at once it is 40 degrees in all."""
MOST_TRIED = 3
"""From so many of the best turns the first stage is made, as long as none leads anywhere."""


def leads_nowhere(first: Found) -> bool:
    """Whether the first stage has ended too far off for the later ones."""
    return math.sqrt(2 * first.evaluation.score) < LEAST_CORRELATION


def best_of_starts(objective_at: ObjectiveAt, start: ScenePoses, stage: Stage, first: Found) -> Found:
    """The best that a rigid first stage finds from turned starts.

    Args:
        objective_at: the objective of a stage that begins at given poses.
        start: given poses, reference frame, mm.
        stage: the first, rigid.
        first: how it ended from these poses; this is returned when nothing better is found.
    """
    best = first
    for turned in _most_alike(objective_at, start)[:MOST_TRIED]:
        nearer = _maximised(objective_at, COARSER, turned.state, COARSER.iterations)
        found = _maximised(objective_at, stage, nearer.state, stage.iterations)
        best = max(best, found, key=_score)
        if not leads_nowhere(best):
            break
    return best


def _most_alike(objective_at: ObjectiveAt, start: ScenePoses) -> list[Found]:
    """From each turn of the start, and from the start itself, a few iterations; the most like the X-rays first."""
    unturned = objective_at(COARSER, start)
    turned = [unturned.moved(start, np.r_[0.0, 0.0, 0.0, LEVER_MM * turn]) for turn in _turns()]
    tried = [_maximised(objective_at, COARSER, poses, BRIEFLY) for poses in turned]
    return sorted(tried, key=_score, reverse=True)


def _turns() -> NDArray[np.float64]:
    """(19, 3) rotation vectors, rad: none, about each of three axes to either side, and about two of them at once."""
    grid = np.array(list(itertools.product((-1.0, 0.0, 1.0), repeat=3)))
    return np.radians(TURN_DEG) * grid[np.count_nonzero(grid, axis=1) <= 2]


def _maximised(objective_at: ObjectiveAt, stage: Stage, start: ScenePoses, iterations: int) -> Found:
    # an objective of its own for every start: which pixels the CT covers depends on it
    objective = objective_at(stage, start)
    return maximise(objective.evaluate, objective.moved, start, iterations, lambda iteration: None)


def _score(found: Found) -> float:
    return found.evaluation.score
