"""Attention shows up in the pictures where it lies in the crop."""

import numpy as np
import torch

from radgs_core.reconstruction import CropSize
from radgs_core.reconstruction.attention_pictures import GAP_PX, STRONGEST, TILE_PX, attention_picture
from radgs_core.xray import CArm, biplanar_geometry
from radgs_core.xray.observation import Observation

SIZE = CropSize(32, 96.0)
POSE = np.array([[0.0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 0, 1]])
"""A supine patient's vertebra at the isocentre."""


def observations() -> list[Observation]:
    """Both views of a bright bar that is upright in the image's middle."""
    seen = []
    for camera in biplanar_geometry(CArm(size=64, pixel_mm=4.0)).views.values():
        image = torch.ones(64, 64)
        image[:, 31:33] = 2.0
        seen.append(Observation(camera, image, torch.ones(64, 64)))
    return seen


def tile(picture: np.ndarray, view: int, column: int) -> np.ndarray:
    """(TILE_PX, TILE_PX, 3) one of the pictures."""
    top, left = view * (TILE_PX + GAP_PX), column * (TILE_PX + GAP_PX)
    return picture[top : top + TILE_PX, left : left + TILE_PX].astype(int)


def colour_of(picture: np.ndarray) -> tuple[float, float]:
    """Mean row and column of what is coloured, as shares of the tile."""
    spread = np.ptp(picture, axis=2).astype(float)
    weight = np.where(spread > 10, spread, 0.0)
    places = (np.arange(TILE_PX) + 0.5) / TILE_PX
    return (weight.sum(1) @ places / weight.sum(), weight.sum(0) @ places / weight.sum())


def test_the_strongest_maps_are_shown_where_they_look() -> None:
    attention = torch.full((2, 6, 8, 8), 1e-6)
    peaks = [(1, 1), (6, 2), (3, 5), (0, 7), (7, 7), (4, 0)]
    for number, (row, column) in enumerate(peaks):
        attention[:, number, row, column] = 0.1 * (number + 1)
    attention[1] = attention[1].transpose(1, 2).clone()
    picture = attention_picture(observations(), POSE, SIZE, attention)
    columns = 2 + STRONGEST
    assert picture.dtype == np.uint8
    assert picture.shape == (2 * TILE_PX + GAP_PX, columns * (TILE_PX + GAP_PX) - GAP_PX, 3)
    for number in range(STRONGEST):
        row, column = peaks[len(peaks) - 1 - number]
        for view, place in enumerate(((row, column), (column, row))):
            wanted = [(index + 0.5) / 8 for index in place]
            np.testing.assert_allclose(colour_of(tile(picture, view, 2 + number)), wanted, atol=0.04)
    total = tile(picture, 0, 1)
    for row, column in peaks[2:]:
        middle = [round((index + 0.5) / 8 * TILE_PX) for index in (row, column)]
        assert np.ptp(total[middle[0], middle[1]]) > 60, "the sum has every peak"


def test_the_crop_shows_the_xray() -> None:
    picture = attention_picture(observations(), POSE, SIZE, torch.full((2, 27, 8, 8), 1 / 64))
    for view in range(2):
        crop = tile(picture, view, 0)
        assert (np.ptp(crop, axis=2) == 0).all(), "grey"
        middle = crop[TILE_PX // 2, :, 0]
        assert middle[TILE_PX // 2] - middle[TILE_PX // 4] > 60, "the bar"
