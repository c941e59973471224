"""Levenberg-Marquardt: damped Gauss-Newton steps that must improve the objective."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

FIRST_DAMPING = 1e-2
LEAST_DAMPING = 1e-4
SHORTEST_STEP_MM = 0.03
SMALLEST_GAIN = 2e-6
"""The search is at rest when a step is shorter, or an improvement smaller, than this."""
TINY = float(np.finfo(np.float64).tiny)
FLOOR = 1e-3
"""Directions that the objective hardly depends on are damped like ones with this share of the largest curvature."""


class Evaluation(Protocol):
    """An objective to be maximised at one point, with its quadratic model there."""

    @property
    def score(self) -> float: ...

    @property
    def gradient(self) -> NDArray[np.float64]: ...

    @property
    def curvature(self) -> NDArray[np.float64]: ...


State = TypeVar("State")
Evaluated = TypeVar("Evaluated", bound=Evaluation)


@dataclass(frozen=True)
class Solution(Generic[State, Evaluated]):
    """Where the search ended."""

    state: State
    evaluation: Evaluated
    converged: bool
    iterations: int


def maximise(
    evaluate: Callable[[State], Evaluated],
    moved: Callable[[State, NDArray[np.float64]], State],
    start: State,
    iterations: int,
    on_iteration: Callable[[int], None],
) -> Solution[State, Evaluated]:
    """Maximise an objective.

    Args:
        evaluate: the objective at a state.
        moved: the state after a step of the parameters, mm.
        start: first state.
        iterations: at most so many steps are tried.
        on_iteration: told how many have been tried.
    """
    state, evaluation, damping = start, evaluate(start), FIRST_DAMPING
    for iteration in range(1, iterations + 1):
        diagonal = evaluation.curvature.diagonal()
        damped = damping * np.diag(np.maximum(diagonal, FLOOR * float(diagonal.max()) + TINY))
        step = np.asarray(np.linalg.solve(evaluation.curvature + damped, evaluation.gradient), dtype=np.float64)
        trial_state = moved(state, step)
        trial = evaluate(trial_state)
        on_iteration(iteration)
        gain = trial.score - evaluation.score
        if gain > 0:
            state, evaluation, damping = trial_state, trial, max(damping / 5, LEAST_DAMPING)
        else:
            damping *= 10
        if np.abs(step).max() < SHORTEST_STEP_MM or 0 < gain < SMALLEST_GAIN:
            return Solution(state, evaluation, True, iteration)
    return Solution(state, evaluation, False, iterations)
