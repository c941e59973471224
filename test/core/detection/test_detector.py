"""What the detector makes of heat maps, in the pixels of detectors that are nothing like the network's image."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from bead import seen_bead
from made_spine import LEVELS, Scene
from numpy.typing import NDArray
from torch.nn import functional

from radgs_core.case import Case
from radgs_core.detection.detector import ROUNDING_PX, Detector
from radgs_core.detection.images import FOCAL_PX, SIZE_PX, canonical_camera
from radgs_core.detection.landmarks import LANDMARKS, landmarks_ct_mm
from radgs_core.detection.network import HEAT_MAP_STRIDE
from radgs_core.errors import InputError
from radgs_core.geometry.camera import XrayCamera
from radgs_core.geometry.rigid import transform_points
from radgs_core.xray.observation import Observation

TAKEN_PX = HEAT_MAP_STRIDE * np.array([1000.0, 800.0]) / FOCAL_PX
"""Columns and rows of the odd detector for a pixel of the heat map."""
SIGMA = 1.2


class BrightSpots:
    """A network that sees every landmark where the image is bright. Pixels of its maps are means of four."""

    def __init__(self, maps: int) -> None:
        self.maps = maps

    def __call__(self, images: torch.Tensor, lateral: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        assert images.shape == (2, 3, SIZE_PX, SIZE_PX) and lateral.tolist() == [0, 1]
        bright = functional.avg_pool2d(images[:, :1].clamp_min(0), HEAT_MAP_STRIDE)
        return (bright + 1e-9).log().expand(-1, self.maps, -1, -1), torch.full((2, self.maps), 20.0)


class Told:
    """A network that is told where in its maps the landmarks are, (2, N, 2), and how likely, (2, N) logits."""

    def __init__(self, places: NDArray[np.float64], logits: NDArray[np.float64]) -> None:
        self.maps = bells(places)
        self.logits = torch.as_tensor(logits, dtype=torch.float32)

    def __call__(self, images: torch.Tensor, lateral: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.maps.log().float(), self.logits


def bells(places: NDArray[np.float64]) -> torch.Tensor:
    """(2, N, 64, 64) maps, each adding up to nearly 1."""
    row, column = np.mgrid[: SIZE_PX // HEAT_MAP_STRIDE, : SIZE_PX // HEAT_MAP_STRIDE]
    squares = (column - places[..., None, None, 0]) ** 2 + (row - places[..., None, None, 1]) ** 2
    return torch.as_tensor(np.exp(-squares / (2 * SIGMA**2)) / (2 * np.pi * SIGMA**2) + 1e-12)


def odd(cameras: Sequence[XrayCamera]) -> list[XrayCamera]:
    """The same sources behind detectors that are not square, nor are their pixels, nor is their middle hit."""
    matrix = np.array([[1000.0, 0, 95], [0, 800, 104], [0, 0, 1]])
    return [replace(camera, width=241, height=180, camera_matrix=matrix) for camera in cameras]


def blank(cameras: Sequence[XrayCamera]) -> list[Observation]:
    shapes = [(camera.height, camera.width) for camera in cameras]
    return [Observation(c, torch.zeros(s), torch.ones(s)) for c, s in zip(cameras, shapes, strict=True)]


def test_the_networks_image_is_seen_from_the_same_source_and_shows_the_detectors_middle(
    scenes: Sequence[Scene],
) -> None:
    for camera in odd(scenes[0].cameras):
        seen = canonical_camera(camera)
        np.testing.assert_allclose(seen.T_reference_camera, camera.T_reference_camera, atol=1e-12)
        middle = np.linalg.solve(camera.camera_matrix, [(camera.width - 1) / 2, (camera.height - 1) / 2, 1])
        np.testing.assert_allclose(seen.camera_matrix @ middle, [(SIZE_PX - 1) / 2, (SIZE_PX - 1) / 2, 1])


@pytest.mark.parametrize("place", [(20.0, -15.0, 10.0), (-33.0, 9.0, -24.0)])
def test_a_bead_is_found_where_it_is(scenes: Sequence[Scene], place: tuple[float, ...]) -> None:
    cameras = odd(scenes[0].cameras)
    detector = Detector(BrightSpots(len(LEVELS) * len(LANDMARKS)), LEVELS, ["T9"])
    found = detector.detect([seen_bead(camera, np.array(place)) for camera in cameras])
    for pixels, camera in zip(found.pixels, cameras, strict=True):
        assert (np.abs(pixels - camera.project(np.array(place))) < 0.05 * TAKEN_PX).all()
    assert found.confidence.min() > 0.99


def test_levels_are_told_in_the_order_they_are_asked_for(spine: Case, scenes: Sequence[Scene]) -> None:
    scene, asked = scenes[1], ["T11", "T8", "T10"]
    cameras = odd(scene.cameras)
    points = [
        transform_points(pose, landmarks_ct_mm(one))
        for pose, one in zip(scene.truth, spine.levels.values(), strict=True)
    ]
    in_network = np.stack([canonical_camera(camera).project(np.concatenate(points)) for camera in cameras])
    logits = scene.rng.normal(size=in_network.shape[:2])
    found = Detector(Told((in_network - 0.5) / 2, logits), LEVELS, asked).detect(blank(cameras))
    rows = [LEVELS.index(level) for level in asked]
    for view, camera in enumerate(cameras):
        wanted = camera.project(np.stack([points[row] for row in rows]))
        assert (np.abs(found.pixels[view] - wanted) < 0.05 * TAKEN_PX).all()
    shares = 1 / (1 + np.exp(-logits.reshape(2, len(LEVELS), -1)[:, rows]))
    np.testing.assert_allclose(found.confidence, shares, atol=0.01)
    np.testing.assert_allclose(found.sigma_px, TAKEN_PX[0] * np.hypot(SIGMA, ROUNDING_PX), rtol=0.02)


@pytest.mark.parametrize("apart", [(0, 17), (14, 0)])
def test_of_two_peaks_the_higher_is_taken_and_trusted_by_its_share(
    scenes: Sequence[Scene], apart: tuple[int, int]
) -> None:
    cameras = odd(scenes[0].cameras)
    network = Told(np.full((2, len(LANDMARKS), 2), [20.0, 30.0]), np.full((2, len(LANDMARKS)), 20.0))
    network.maps = 0.7 * network.maps + 0.3 * network.maps.roll(apart, (2, 3))
    found = Detector(network, ["T9"], ["T9"]).detect(blank(cameras))
    seen = canonical_camera(cameras[0]).camera_matrix
    wanted = (2 * np.array([20.0, 30.0]) + 0.5 - seen[:2, 2]) / FOCAL_PX * (1000, 800) + (95, 104)
    assert (np.abs(found.pixels - wanted) < 0.05 * TAKEN_PX).all()
    np.testing.assert_allclose(found.confidence, 0.7, atol=0.01)


def test_levels_it_was_not_trained_for_are_refused() -> None:
    with pytest.raises(InputError, match="not trained for L2, only for T12, L1"):
        Detector(BrightSpots(10), ["T12", "L1"], ["L1", "L2"])
