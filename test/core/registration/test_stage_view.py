"""The objective of one view: its gradient against its own differences, and where it looks."""

import math

import numpy as np
import pytest
import torch

from radgs_core.case import Case
from radgs_core.geometry.rigid import transform_points
from radgs_core.registration.coverage import covered_by_ct
from radgs_core.registration.scene import ScenePoses
from radgs_core.registration.stage_view import StageView, _sums
from radgs_core.registration.stages import Stage
from radgs_core.registration.subject import Subject
from radgs_core.xray import CArm, Physics, Simulator, biplanar_geometry, body_pose
from radgs_core.xray.observation import observe

GEOMETRY = biplanar_geometry(CArm(size=128, pixel_mm=1.2))
STAGE = Stage(pixel_mm=1.2, blur_mm=2.5, window_mm=9.0, body_share=0.3, rigid=False, iterations=1)
OFFSET = np.array([0.6, -0.5, 0.4, 0.01, -0.008, 0.012])


@pytest.fixture(scope="module")
def subject(phantom_case: Case) -> Subject:
    return Subject.of(phantom_case)


@pytest.fixture(scope="module")
def truth(phantom_case: Case) -> ScenePoses:
    body = body_pose(phantom_case, list(phantom_case.levels))
    return ScenePoses(body, np.stack([body] * len(phantom_case.levels)))


@pytest.fixture(scope="module")
def centres(phantom_case: Case, truth: ScenePoses) -> np.ndarray:
    levels = [transform_points(truth.body, v.T_ct_vertebra[:3, 3]) for v in phantom_case.levels.values()]
    return np.stack([np.mean(levels, axis=0), *levels])


@pytest.fixture(scope="module")
def view(phantom_case: Case, subject: Subject, truth: ScenePoses) -> StageView:
    simulator = Simulator(phantom_case, GEOMETRY, truth.body)
    images = simulator.expose(
        dict.fromkeys(phantom_case.levels, truth.body), Physics.plain(5000.0), np.random.default_rng(1)
    )
    return StageView(subject, observe(images["ap"], GEOMETRY.views["ap"]), STAGE, truth)


def test_the_gradient_is_that_of_the_score(view: StageView, truth: ScenePoses, centres: np.ndarray) -> None:
    objects = len(centres)
    here = truth.moved(np.tile(OFFSET, (objects, 1)), centres)
    evaluation = view.evaluate(here, centres)
    differences = np.empty(6 * objects)
    for k in range(6 * objects):
        step = np.zeros(6 * objects)
        step[k] = 0.02 if k % 6 < 3 else 0.0005
        forth, back = (view.evaluate(here.moved((sign * step).reshape(-1, 6), centres), centres) for sign in (1, -1))
        differences[k] = (forth.score - back.score) / (2 * step[k])
    by_shift = np.arange(6 * objects) % 6 < 3
    # the perspective term is held constant in the derivatives of images
    for part in (by_shift, ~by_shift):
        largest = np.abs(differences[part]).max()
        np.testing.assert_allclose(evaluation.gradient[part], differences[part], atol=0.03 * largest)


def test_a_gauss_newton_step_leads_back_to_the_truth(view: StageView, truth: ScenePoses, centres: np.ndarray) -> None:
    here = truth.moved(np.r_[np.zeros((1, 6)), np.tile(OFFSET, (len(centres) - 1, 1))], centres)
    before = view.evaluate(here, centres)
    damping = 1e-2 * np.diag(before.curvature.diagonal())
    step = np.linalg.solve(before.curvature + damping, before.gradient).reshape(-1, 6)
    after = view.evaluate(here.moved(step, centres), centres)
    assert after.score > before.score
    assert (after.similarity > before.similarity).all()
    # one view sees two of the three shifts; this one looks along z
    assert np.abs(step[1:, :2] + OFFSET[:2]).max() < 0.5


def test_rays_through_the_end_slices_are_not_covered(phantom_case: Case, subject: Subject, truth: ScenePoses) -> None:
    camera = biplanar_geometry(CArm(size=192, pixel_mm=1.2)).views["ap"]
    covered = covered_by_ct(subject.body.finest, camera, truth.body).numpy()
    assert covered.shape == (camera.height, camera.width)
    # the phantom's end slices, seen from the front: in rows above and below them rays leave the CT through its ends
    ends = np.array([[0, 0, -0.5], [0, 0, subject.body.finest.values.shape[0] - 0.5]])
    ends = transform_points(truth.body, transform_points(subject.body.finest.T_ct_voxel, ends))
    top, bottom = sorted(camera.project(ends)[:, 1])
    middle = camera.width // 2
    assert covered[camera.height // 2, middle]
    assert 8 < top < bottom < camera.height - 8
    assert not covered[: int(top) - 8, middle].any()
    assert not covered[int(bottom) + 8 :, middle].any()


def test_sums_do_not_depend_on_the_number_of_threads() -> None:
    images = torch.rand(3, 300, 401, generator=torch.Generator().manual_seed(0))
    sums = []
    for threads in (1, 2, 4):
        torch.set_num_threads(threads)
        sums.append([*_sums(images), _sums(images[0])])
    torch.set_num_threads(1)
    assert sums[0] == sums[1] == sums[2]
    expected = [math.fsum(image.flatten().tolist()) for image in (*images, images[0])]
    np.testing.assert_allclose(sums[0], expected, rtol=1e-12)


def test_the_score_is_a_sum_in_double_precision(
    view: StageView, truth: ScenePoses, centres: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    fits = []
    fit = view._correlation.fit
    monkeypatch.setattr(view._correlation, "fit", lambda *images: fits.append(fit(*images)) or fits[-1])
    score = view.evaluate(truth, centres).score
    weighted = (fits[0].correlation.square() * view._weight).flatten().tolist()
    assert score == pytest.approx(math.fsum(weighted) / 2, rel=1e-13)
