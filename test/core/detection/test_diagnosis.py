"""Mistakes in a pair of images, made and then named. The images hold nothing but a number where each landmark is."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch
from made_spine import Scene
from numpy.typing import NDArray

from radgs_core.case import Case
from radgs_core.detection import Detections, FirstPoses, diagnose, first_poses
from radgs_core.detection.landmarks import LANDMARKS
from radgs_core.geometry.camera import XrayCamera
from radgs_core.xray.observation import Observation

Change = Callable[[Sequence[torch.Tensor]], list[torch.Tensor]]


class Detector:
    """Reads the numbers. Like a network it knows the spine upright, AP and lateral, and otherwise finds nothing."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self.shapes: list[tuple[int, ...]] = []

    def __call__(self, observations: Sequence[Observation]) -> FirstPoses:
        for one in observations:
            assert torch.equal(one.usable, (one.line_integral > 0).float()), "turned like its image"
        self.shapes += [tuple(one.line_integral.shape) for one in observations]
        views = [self._read(one.line_integral.numpy()) for one in observations]
        ap, lateral = (pixels for pixels, _ in views)
        left, right, back, front = (
            LANDMARKS.index(name)
            for name in ("left_transverse_process", "right_transverse_process", "spinous_process", "body")
        )
        knows = [
            self._upright(ap) and ap[0, left, 0] - ap[0, right, 0] > 50,
            self._upright(lateral) and lateral[0, front, 0] - lateral[0, back, 0] > 50,
        ]
        confidence = np.stack([found * known for (_, found), known in zip(views, knows, strict=True)])
        return first_poses(
            self._case,
            [one.camera for one in observations],
            Detections(np.stack([ap, lateral]), np.ones(confidence.shape), confidence),
        )

    def _read(self, image: NDArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        count = len(self._case.levels) * len(LANDMARKS)
        pixels, found = np.zeros((count, 2)), np.zeros(count)
        for row, column in np.argwhere(image > 0):
            index = round(float(image[row, column])) - 1
            pixels[index], found[index] = (column, row), 1.0
        shape = (len(self._case.levels), len(LANDMARKS))
        return pixels.reshape(*shape, 2), found.reshape(shape)

    @staticmethod
    def _upright(pixels: NDArray[np.float64]) -> bool:
        return bool((np.diff(pixels[:, LANDMARKS.index("centroid"), 1]) > 0).all())


class IndifferentDetector(Detector):
    """Reads the numbers in any image."""

    @staticmethod
    def _upright(pixels: NDArray[np.float64]) -> bool:
        return True


def image_of(pixels: NDArray[np.float64], camera: XrayCamera) -> torch.Tensor:
    image = np.zeros((camera.height, camera.width), np.float32)
    for number, (column, row) in enumerate(np.round(pixels.reshape(-1, 2)).astype(int)):
        image[row, column] = number + 1
    return torch.from_numpy(image)


def observed(images: Sequence[torch.Tensor], cameras: Sequence[XrayCamera]) -> list[Observation]:
    return [Observation(camera, image, (image > 0).float()) for image, camera in zip(images, cameras, strict=True)]


@pytest.fixture
def scene(spine: Case) -> Scene:
    return Scene(spine, 0)


def turned(view: int, clockwise: int) -> Change:
    def change(images: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        return [torch.rot90(one, -clockwise) if index == view else one for index, one in enumerate(images)]

    return change


def flipped(views: Sequence[int], axis: int) -> Change:
    def change(images: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        return [one.flip(axis) if index in views else one for index, one in enumerate(images)]

    return change


MISTAKES: list[tuple[Change, str]] = [
    (lambda images: [images[1], images[0]], "the ap and the lateral image were exchanged"),
    (turned(0, 1), "the ap image was turned by 90 degrees clockwise"),
    (turned(1, 2), "the lateral image was turned by 180 degrees"),
    (turned(1, 3), "the lateral image was turned by 90 degrees counter-clockwise"),
    (flipped([0], 1), "the ap image was mirrored from left to right"),
    (flipped([1], 0), "the lateral image was mirrored from top to bottom"),
    (flipped([0, 1], 1), "both images were mirrored from left to right"),
]


@pytest.mark.parametrize(("mistake", "name"), MISTAKES, ids=[name for _, name in MISTAKES])
def test_a_mistake_is_named(spine: Case, scene: Scene, mistake: Change, name: str) -> None:
    right = [image_of(pixels, camera) for pixels, camera in zip(scene.pixels, scene.cameras, strict=True)]
    observations = observed(mistake(right), scene.cameras)
    before = [one.line_integral.clone() for one in observations]
    detect = Detector(spine)
    assert not detect(observed(right, scene.cameras)).reason
    assert detect(observations).reason
    assert diagnose(observations, detect) == f"it looks as if {name}; correct the images or the geometry."
    for one, image in zip(observations, before, strict=True):
        assert torch.equal(one.line_integral, image)


def test_what_no_mistake_explains_is_not_explained(spine: Case, scene: Scene) -> None:
    pixels = scene.rng.uniform(0, 511, scene.pixels.shape)
    observations = observed([image_of(*each) for each in zip(pixels, scene.cameras, strict=True)], scene.cameras)
    assert diagnose(observations, IndifferentDetector(spine)) == ""


def test_two_mistakes_that_explain_it_equally_are_both_named(scene: Scene) -> None:
    observations = observed([torch.zeros(512, 512), torch.zeros(512, 512)], scene.cameras)
    answers = iter(
        [found(50), found(20), found(0, "no"), found(47), found(44), *[found(60, "far more, but no start")] * 11]
    )
    assert diagnose(observations, lambda changed: next(answers)) == (
        "it looks as if the ap and the lateral image were exchanged, or the ap image was turned by 90 degrees"
        " counter-clockwise; correct the images or the geometry."
    )


def test_what_everything_explains_is_not_explained(scene: Scene) -> None:
    observations = observed([torch.zeros(512, 512), torch.zeros(512, 512)], scene.cameras)
    assert diagnose(observations, lambda changed: found(50)) == ""


def test_images_are_only_changed_as_their_detectors_allow(spine: Case, scene: Scene) -> None:
    ap, lateral = scene.cameras
    wide = XrayCamera(600, 512, lateral.camera_matrix, lateral.T_reference_camera)
    images = [image_of(pixels, camera) for pixels, camera in zip(scene.pixels, (ap, wide), strict=True)]
    detect = Detector(spine)
    diagnosis = diagnose(observed([images[0], images[1].flip(1)], [ap, wide]), detect)
    assert diagnosis.startswith("it looks as if the lateral image was mirrored from left to right;")
    assert set(detect.shapes) == {(512, 512), (512, 600)}
    assert detect.shapes[1::2] == [(512, 600)] * (len(detect.shapes) // 2)


def found(agreeing: int, reason: str = "") -> FirstPoses:
    return FirstPoses(np.eye(4), {"T8": np.eye(4)}, {"T8": agreeing}, 1.0, reason)
