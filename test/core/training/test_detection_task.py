"""Training of detection: targets are where things are seen, and losses are least there."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from bead import seen_bead
from torch.nn import functional

from radgs_core.case import Case
from radgs_core.detection.images import SIZE_PX
from radgs_core.detection.landmarks import LANDMARKS, landmarks_ct_mm
from radgs_core.detection.network import HEAT_MAP_STRIDE, DetectionSize
from radgs_core.geometry.rigid import transform_points
from radgs_core.training import detection_task
from radgs_core.training.detection_task import TARGET_PX, DetectionBatch, DetectionTask, detection_losses
from radgs_core.training.positions import Position
from radgs_core.training.scenes import PatientScenes, Scene, SceneSampler

Change = Callable[[Scene], Scene]
LEVEL, LANDMARK = 1, LANDMARKS.index("spinous_process")


class Changed:
    """Draws scenes whose X-rays are then replaced."""

    def __init__(self, sampler: SceneSampler, change: Change) -> None:
        self._sampler, self._change = sampler, change

    def scene(self, rng: np.random.Generator) -> Scene:
        return self._change(self._sampler.scene(rng))


@pytest.fixture
def sample(
    phantom_case: Case, positions: Sequence[Position], monkeypatch: pytest.MonkeyPatch
) -> Callable[[Change], DetectionBatch]:
    """Of a task whose scenes are changed."""
    monkeypatch.setattr(detection_task, "VALIDATION_SCENES", 1)

    def drawn(change: Change) -> DetectionBatch:
        scenes = Changed(SceneSampler(phantom_case, positions), change)
        task = DetectionTask(phantom_case, PatientScenes(scenes, scenes), DetectionSize((4, 4), 1), {})
        return task.sample(np.random.default_rng(0))

    return drawn


def places_mm(case: Case, scene: Scene) -> np.ndarray:
    """(L, P, 3) of the landmarks, reference frame."""
    levels = zip(scene.T_reference_level, case.levels.values(), strict=True)
    return np.stack([transform_points(pose, landmarks_ct_mm(vertebra)) for pose, vertebra in levels])


def test_a_bead_on_a_landmark_is_seen_at_its_target(phantom_case: Case, sample: Callable) -> None:
    """In a heat map whose pixels are means of four of the image's."""

    def with_bead(scene: Scene) -> Scene:
        bead = places_mm(phantom_case, scene)[LEVEL, LANDMARK]
        return replace(scene, observations=[seen_bead(one.camera, bead) for one in scene.observations])

    batch = sample(with_bead)
    bright = functional.avg_pool2d(batch.images[:, 0].clamp_min(0), HEAT_MAP_STRIDE).double()
    bright /= bright.sum((1, 2), keepdim=True)
    along = torch.arange(SIZE_PX // HEAT_MAP_STRIDE)
    middle = torch.stack([(bright.sum(1) * along).sum(1), (bright.sum(2) * along).sum(1)], -1)
    targets = batch.places.unflatten(1, (-1, len(LANDMARKS)))[:, LEVEL, LANDMARK]
    np.testing.assert_allclose(targets, middle, atol=0.05)
    assert batch.lateral.tolist() == [0, 1]


def test_only_what_is_on_usable_pixels_of_the_image_is_visible(phantom_case: Case, sample: Callable) -> None:
    """The left half of what is taken is covered; one level is far beside the patient."""
    columns = []

    def half_covered(scene: Scene) -> Scene:
        poses = scene.T_reference_level.copy()
        poses[0, :3, 3] += 400.0
        moved = replace(scene, T_reference_level=poses)
        points = places_mm(phantom_case, moved)[1]
        columns[:] = [one.camera.project(points)[..., 0] for one in scene.observations]
        usable = torch.ones_like(scene.observations[0].usable)
        usable[:, : usable.shape[1] // 2] = 0.0
        return replace(moved, observations=[replace(one, usable=usable) for one in scene.observations])

    batch = sample(half_covered)
    outside, shown = batch.visible.unflatten(1, (2, len(LANDMARKS))).unbind(1)
    assert not outside.any()
    from_edge = np.stack(columns) - 127.5
    clear = np.abs(from_edge) > 3
    assert len(np.unique(from_edge[clear] > 0)) == 2
    np.testing.assert_array_equal(shown.numpy()[clear], (from_edge > 0)[clear])


class Told:
    """A network that answers with given maps and logits."""

    def __init__(self, maps: torch.Tensor, logits: torch.Tensor) -> None:
        self.answer = maps, logits

    def __call__(self, images: torch.Tensor, lateral: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.answer


def bells(places: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """(B, N, height, width) logarithms of unnormalised bells, as wide as the targets."""
    x = torch.arange(width) - places[..., None, None, 0]
    y = torch.arange(height)[:, None] - places[..., None, None, 1]
    return -0.5 * (x**2 + y**2) / TARGET_PX**2


def test_losses_are_least_at_the_truth() -> None:
    """In maps that are not square."""
    generator = torch.Generator().manual_seed(0)
    places = 8 + torch.rand(2, 6, 2, generator=generator) * torch.tensor([16.0, 4.0])
    visible = torch.tensor([[1.0, 1, 1, 0, 1, 1], [0, 1, 0, 1, 1, 1]])
    batch = DetectionBatch(torch.zeros(2), torch.zeros(2), places, visible)
    logits = 9 * (2 * visible - 1)

    def losses(shift: tuple[float, float], seen: torch.Tensor = logits) -> detection_task.DetectionLosses:
        return detection_losses(Told(bells(places + torch.tensor(shift), 20, 32), seen), batch)

    right = losses((0, 0))
    assert float(right.place) < 0.01 and float(right.visible) < 0.001
    for shift in ((0.4, 0), (-0.4, 0), (0, 0.4), (0, -0.4)):
        wrong = losses(shift)
        assert wrong.heat > right.heat + 0.05 and wrong.place > right.place + 0.05 and wrong.total > right.total
    wrong = losses((0, 0), -logits)
    assert wrong.visible > 5 and wrong.heat == right.heat
    narrow, wide = (detection_losses(Told(s * bells(places, 20, 32), logits), batch).heat for s in (1.3, 0.8))
    assert min(narrow, wide) > right.heat, "as wide as its target"


def test_what_is_not_visible_has_no_place() -> None:
    places = torch.full((2, 3, 2), 10.0)
    visible = torch.tensor([[1.0, 0, 1], [0, 0, 0]])
    batch = DetectionBatch(torch.zeros(2), torch.zeros(2), places, visible)
    elsewhere = torch.where(visible[..., None] > 0, places, places + 7)
    right, other = (
        detection_losses(Told(bells(each, 20, 20), torch.zeros(2, 3)), batch) for each in (places, elsewhere)
    )
    assert other.heat == right.heat > 0 and other.place == right.place
