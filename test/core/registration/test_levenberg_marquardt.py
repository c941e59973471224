"""The optimiser on functions whose maximum is known."""

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from radgs_core.registration.levenberg_marquardt import maximise


@dataclass(frozen=True)
class Evaluated:
    score: float
    gradient: NDArray[np.float64]
    curvature: NDArray[np.float64]


def rosenbrock(x: NDArray[np.float64]) -> Evaluated:
    """-(10 (y - x^2))^2 / 2 - (1 - x)^2 / 2, with its maximum at (1, 1); a curved, narrow ridge."""
    residual = np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]])
    jacobian = np.array([[-20 * x[0], 10], [-1, 0]])
    return Evaluated(-0.5 * float(residual @ residual), -jacobian.T @ residual, jacobian.T @ jacobian)


def test_finds_the_maximum_of_a_curved_ridge() -> None:
    tried: list[int] = []
    solution = maximise(rosenbrock, np.add, np.array([-1.2, 1.0]), 200, tried.append)
    assert solution.converged
    assert tried == list(range(1, solution.iterations + 1))
    np.testing.assert_allclose(solution.state, [1, 1], atol=0.05)


def test_never_ends_below_its_start() -> None:
    def misleading(x: NDArray[np.float64]) -> Evaluated:
        return Evaluated(-float(x[0] ** 2), np.array([1.0]), np.array([[1e-3]]))  # the step goes up, the score down

    solution = maximise(misleading, np.add, np.array([0.0]), 5, lambda iteration: None)
    assert solution.evaluation.score == 0.0
    np.testing.assert_array_equal(solution.state, [0.0])


def test_running_out_of_iterations_is_not_convergence() -> None:
    solution = maximise(rosenbrock, np.add, np.array([-1.2, 1.0]), 2, lambda iteration: None)
    assert not solution.converged
    assert solution.iterations == 2


@pytest.mark.parametrize("free", [0, 1])
def test_a_direction_without_curvature_is_left_alone(free: int) -> None:
    def flat(x: NDArray[np.float64]) -> Evaluated:
        curvature, gradient = np.zeros((2, 2)), np.zeros(2)
        curvature[free, free], gradient[free] = 1.0, 3.0 - x[free]
        return Evaluated(-0.5 * float((3.0 - x[free]) ** 2), gradient, curvature)

    solution = maximise(flat, np.add, np.zeros(2), 20, lambda iteration: None)
    assert solution.state[1 - free] == 0
    assert abs(solution.state[free] - 3) < 0.05
