"""Where networks see the levels, as a term of the objective."""

import dataclasses
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

from radgs_core.case import Case
from radgs_core.evaluation import tre_mm
from radgs_core.geometry.rigid import rotation_about
from radgs_core.registration.level_prior import ARM_MM, WEIGHT_PER_MM2, LevelPrior
from radgs_core.registration.objective import LEVER_MM, Objective
from radgs_core.registration.refinement import Placed, Refined, refine
from radgs_core.registration.scene import ScenePoses
from radgs_core.registration.stages import LEVEL_STAGES
from radgs_core.registration.subject import Subject
from radgs_core.xray import CArm, Physics, Simulator, biplanar_geometry, body_pose
from radgs_core.xray.observation import Observation, observe

GEOMETRY = biplanar_geometry(CArm(size=128, pixel_mm=1.2))
OFF = np.array([1.0, -1.5, 1.0, 0.03, -0.02, 0.03])


@dataclasses.dataclass(frozen=True)
class Scene:
    """A patient, its X-rays, and where everything truly is."""

    case: Case
    subject: Subject
    observations: Sequence[Observation]
    truth: NDArray[np.float64]

    def seen(self, twist: NDArray[np.float64]) -> NDArray[np.float64]:
        """Poses off by a twist about each level's centroid."""
        centres = self.subject.centres_ct_mm
        return np.stack([self.truth @ rotation_about(centre, twist) for centre in centres])

    def refined(self, observations: Sequence[Observation], seen: NDArray[np.float64]) -> Refined:
        placed = Placed(ScenePoses(self.truth, np.stack([self.truth] * len(seen))), 0)
        return refine(self.subject, observations, placed, seen, lambda fraction, message: None)

    def errors_mm(self, poses: NDArray[np.float64], reference: NDArray[np.float64]) -> list[float]:
        levels = self.case.levels.values()
        return [tre_mm(v.surface_points_mm, p, r) for v, p, r in zip(levels, poses, reference, strict=True)]


@pytest.fixture(scope="module")
def scene(phantom_case: Case) -> Scene:
    levels = list(phantom_case.levels)
    truth = body_pose(phantom_case, levels)
    simulator = Simulator(phantom_case, GEOMETRY, truth)
    images = simulator.expose(dict.fromkeys(levels, truth), Physics.plain(5000.0), np.random.default_rng(1))
    observations = [observe(images[view], camera) for view, camera in GEOMETRY.views.items()]
    return Scene(phantom_case, Subject.of(phantom_case), observations, truth)


def test_its_model_is_that_of_its_score(scene: Scene) -> None:
    centres = scene.subject.centres_ct_mm
    prior = LevelPrior(scene.seen(np.zeros(6)), centres)
    poses = ScenePoses(scene.truth, scene.seen(OFF))
    at = prior.evaluate(poses)
    turned_about = np.stack([centres.mean(0), *centres]) @ scene.truth[:3, :3].T + scene.truth[:3, 3]
    for index in range(len(at.gradient)):
        small = np.zeros_like(at.gradient)
        small[index] = 1e-4
        there, back = (
            prior.evaluate(poses.moved((sign * small).reshape(-1, 6), turned_about)).score for sign in (1, -1)
        )
        scale = 1.0 if index % 6 < 3 else ARM_MM
        # levels are off by 2 mm, about which they turn: that is left out
        np.testing.assert_allclose((there - back) / 2e-4, at.gradient[index], atol=3 * scale * WEIGHT_PER_MM2 * 0.05)
    expected = prior.evaluate(ScenePoses(scene.truth, prior.T_reference_ct))
    assert expected.score == 0 and not expected.gradient.any()
    model = 0.5 * at.gradient @ np.linalg.pinv(at.curvature) @ at.gradient
    np.testing.assert_allclose(-at.score, model, rtol=1e-6)
    assert not at.gradient[:6].any() and not at.curvature[:6].any(), "nothing is known of the body"


def test_the_objective_is_that_of_the_images_and_the_prior(scene: Scene) -> None:
    start = ScenePoses(scene.truth, scene.seen(OFF))
    prior = LevelPrior(scene.seen(np.zeros(6)), scene.subject.centres_ct_mm)
    with ThreadPoolExecutor(2) as threads:
        alone, with_prior = (
            Objective(scene.subject, scene.observations, threads, LEVEL_STAGES[0], start, known).evaluate(start)
            for known in (None, prior)
        )
    known = prior.evaluate(start)
    assert with_prior.score == alone.score + known.score
    # a parameter that turns is a millimetre at the objective's lever
    unit = np.tile(np.r_[np.ones(3), np.full(3, 1 / LEVER_MM)], len(known.gradient) // 6)
    np.testing.assert_allclose(with_prior.gradient - alone.gradient, unit * known.gradient, atol=1e-12)
    np.testing.assert_allclose(
        with_prior.curvature - alone.curvature, unit[:, None] * known.curvature * unit, atol=1e-9
    )
    np.testing.assert_array_equal(with_prior.information, alone.information)
    np.testing.assert_allclose(with_prior.precision - with_prior.information, known.curvature, atol=1e-9)


def test_images_that_show_the_levels_outvote_it(scene: Scene) -> None:
    seen = scene.seen(OFF)
    truth = scene.seen(np.zeros(6))
    assert min(scene.errors_mm(seen, truth)) > 1.8
    assert max(scene.errors_mm(scene.refined(scene.observations, seen).poses.levels, truth)) < 0.8


def test_levels_that_the_images_do_not_show_stay_nearer_to_it(scene: Scene) -> None:
    noise = np.random.default_rng(3)
    blank = [
        dataclasses.replace(one, line_integral=one.line_integral.new_tensor(noise.normal(size=one.line_integral.shape)))
        for one in scene.observations
    ]
    seen = scene.seen(OFF)
    moved = scene.errors_mm(scene.refined(blank, seen).poses.levels, seen)
    alone = refine(scene.subject, blank, Placed(ScenePoses(scene.truth, seen), 0), None, lambda fraction, message: None)
    assert max(moved) < 0.5 * max(scene.errors_mm(alone.poses.levels, seen))
