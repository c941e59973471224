"""Starts that are turned so far that the first stage alone is led astray."""

import dataclasses
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

from radgs_core.case import Case
from radgs_core.evaluation import tre_mm
from radgs_core.geometry.rigid import rotation_about
from radgs_core.progress import Progress
from radgs_core.registration import refinement
from radgs_core.registration.levenberg_marquardt import Solution, maximise
from radgs_core.registration.multi_start import MOST_TRIED, TURN_DEG, Found, best_of_starts, leads_nowhere
from radgs_core.registration.objective import LEVER_MM, Objective, ObjectiveEvaluation
from radgs_core.registration.scene import ScenePoses
from radgs_core.registration.stages import RIGID_STAGES, Stage
from radgs_core.registration.start import start_poses
from radgs_core.registration.subject import Subject
from radgs_core.registration.verdict import judge
from radgs_core.volume import Volume
from radgs_core.xray import CArm, Physics, Simulator, biplanar_geometry, body_pose
from radgs_core.xray.observation import Observation, observe

GEOMETRY = biplanar_geometry(CArm(size=128, pixel_mm=2.0))
SLICES = 40
"""Put on either end of the phantom's body, so that rays stay inside it when it is turned far."""
RIBS_MM = ((-30.0, 6.0), (-20.0, 29.0), (25.0, -14.0), (18.0, -47.0), (28.0, 22.0), (-26.0, -33.0), (22.0, 55.0))
"""From left to right and from foot to head: nothing else tells the phantom's vertebrae apart."""
Starts = Callable[[NDArray[np.float64]], ScenePoses]


@pytest.fixture(scope="module")
def tall_case(phantom_case: Case) -> Case:
    body = phantom_case.body_hu
    T_ct_voxel = body.T_ct_voxel.copy()
    T_ct_voxel[:3, 3] -= SLICES * T_ct_voxel[:3, 2]
    longer = Volume(np.pad(body.data, ((0, 0), (0, 0), (SLICES, SLICES)), mode="edge"), T_ct_voxel)
    x, y, z = np.moveaxis(longer.points_mm(np.stack(np.indices(longer.data.shape), -1)), -1, 0)
    for left_mm, up_mm in RIBS_MM:
        longer.data[(np.hypot(x - left_mm, z - up_mm) < 4) & (abs(y) < 20)] = 600
    return dataclasses.replace(phantom_case, body_hu=longer)


@pytest.fixture(scope="module")
def truth(tall_case: Case) -> NDArray[np.float64]:
    return body_pose(tall_case, list(tall_case.levels))


@pytest.fixture(scope="module")
def observations(tall_case: Case, truth: NDArray[np.float64]) -> list[Observation]:
    simulator = Simulator(tall_case, GEOMETRY, truth)
    images = simulator.expose(dict.fromkeys(tall_case.levels, truth), Physics.plain(5000.0), np.random.default_rng(1))
    return [observe(images[view], GEOMETRY.views[view]) for view in GEOMETRY.views]


@pytest.fixture(scope="module")
def subject(tall_case: Case) -> Subject:
    return Subject.of(tall_case)


@pytest.fixture(scope="module")
def wrong_by(tall_case: Case, subject: Subject, truth: NDArray[np.float64]) -> Starts:
    """The start that is off by a twist about the spine's centre, mm and rad."""
    centre = subject.centres_ct_mm.mean(0)
    return lambda twist: start_poses(tall_case, dict.fromkeys(tall_case.levels, truth @ rotation_about(centre, twist)))


TURNED_FAR = np.array([5.0, 3.0, -4.0, np.radians(70.0), 0.0, 0.0])
TURNED_LITTLE = np.array([5.0, 3.0, -4.0, np.radians(8.0), 0.0, 0.0])
ONE_VERTEBRA_UP = np.array([0.0, 0.0, 22.0, 0.0, 0.0, 0.0])


def errors_mm(case: Case, poses: NDArray[np.float64], truth: NDArray[np.float64]) -> list[float]:
    vertebrae = case.levels.values()
    return [tre_mm(v.surface_points_mm, pose, truth) for v, pose in zip(vertebrae, poses, strict=True)]


def refined_from(
    subject: Subject,
    observations: Sequence[Observation],
    start: ScenePoses,
    progress: Progress = lambda fraction, message: None,
) -> refinement.Refined:
    placed = refinement.place(subject, observations, start, progress)
    return refinement.refine(subject, observations, placed, None, progress)


def first_stage(subject: Subject, observations: Sequence[Observation], start: ScenePoses) -> Found:
    with ThreadPoolExecutor(len(observations)) as threads:
        objective = Objective(subject, observations, threads, RIGID_STAGES[0], start)
        return maximise(objective.evaluate, objective.moved, start, RIGID_STAGES[0].iterations, lambda iteration: None)


def test_a_start_that_is_turned_far_is_saved_by_others(
    tall_case: Case,
    subject: Subject,
    observations: list[Observation],
    truth: NDArray[np.float64],
    wrong_by: Starts,
) -> None:
    start = wrong_by(TURNED_FAR)
    alone = first_stage(subject, observations, start)
    assert leads_nowhere(alone)
    assert min(errors_mm(tall_case, alone.state.levels, truth)) > 10
    fractions: list[float] = []
    refined = refined_from(subject, observations, start, lambda fraction, message: fractions.append(fraction))
    assert max(errors_mm(tall_case, refined.poses.levels, truth)) < 0.8
    assert fractions == sorted(fractions)


def test_a_start_that_is_turned_little_needs_no_others(
    tall_case: Case,
    subject: Subject,
    observations: list[Observation],
    truth: NDArray[np.float64],
    wrong_by: Starts,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unexpected(*arguments: object) -> Found:
        raise AssertionError("other starts were tried")

    monkeypatch.setattr(refinement, "best_of_starts", unexpected)
    refined = refined_from(subject, observations, wrong_by(TURNED_LITTLE))
    assert max(errors_mm(tall_case, refined.poses.levels, truth)) < 0.8


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_start_at_the_neighbouring_vertebra_ends_right_or_is_rejected(
    tall_case: Case,
    subject: Subject,
    observations: list[Observation],
    truth: NDArray[np.float64],
    wrong_by: Starts,
    sign: float,
) -> None:
    start = wrong_by(sign * ONE_VERTEBRA_UP)
    assert min(errors_mm(tall_case, start.levels, truth)) > 20
    refined = refined_from(subject, observations, start)
    results = judge(tall_case, list(GEOMETRY.views), observations, refined)
    for result, error in zip(results.values(), errors_mm(tall_case, refined.poses.levels, truth), strict=True):
        assert result.status == "rejected" or error < 2


class OneTurnIsRight:
    """An objective with a score for each turn from the identity, and no slope: nothing moves but by turning."""

    def __init__(self, right_deg: NDArray[np.float64], score_there: float) -> None:
        self.right_deg, self.score_there = right_deg, score_there
        self.made: list[Stage] = []

    def at(self, stage: Stage, start: ScenePoses) -> "OneTurnIsRight":
        self.made.append(stage)
        return self

    def evaluate(self, poses: ScenePoses) -> ObjectiveEvaluation:
        right = rotation_about(np.zeros(3), np.r_[np.zeros(3), np.radians(self.right_deg)])
        score = self.score_there if np.allclose(poses.body, right) else 0.1
        nothing = np.zeros((1, 1))
        return ObjectiveEvaluation(score, np.zeros(6), np.eye(6), nothing, nothing, np.eye(12), np.eye(12))

    def moved(self, poses: ScenePoses, step: NDArray[np.float64]) -> ScenePoses:
        twist = np.r_[step[:3], step[3:] / LEVER_MM]
        return poses.moved(np.stack([twist, twist]), np.zeros((2, 3)))


AT_HOME = ScenePoses(np.eye(4), np.eye(4)[None])


@pytest.mark.parametrize("axis", [(1, 0, 0), (0, -1, 0), (1, 0, -1), (-1, 1, 0)])
def test_the_turn_that_is_most_alike_is_kept_and_ends_the_search(axis: tuple[int, int, int]) -> None:
    right_deg = TURN_DEG * np.array(axis)
    fake = OneTurnIsRight(right_deg, 0.45)
    first = Solution(AT_HOME, fake.evaluate(AT_HOME), True, 1)
    found = best_of_starts(fake.at, AT_HOME, RIGID_STAGES[0], first)  # type: ignore[arg-type]
    assert found.evaluation.score == 0.45
    assert fake.made.count(RIGID_STAGES[0]) == 1


def test_a_few_turns_are_tried_in_vain_and_the_first_end_is_kept() -> None:
    fake = OneTurnIsRight(np.array([90.0, 0.0, 0.0]), 0.45)
    first = Solution(AT_HOME, dataclasses.replace(fake.evaluate(AT_HOME), score=0.2), True, 1)
    assert best_of_starts(fake.at, AT_HOME, RIGID_STAGES[0], first) is first  # type: ignore[arg-type]
    assert fake.made.count(RIGID_STAGES[0]) == MOST_TRIED
