"""Where RecM looks, for people: the crops of a level with its attention maps laid over them."""

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from radgs_core.reconstruction.crops import CropSize, turned_towards
from radgs_core.xray.normalisation import normalised
from radgs_core.xray.observation import Observation
from radgs_core.xray.reprojection import reproject

STRONGEST = 4
"""How many single maps are shown, those with the highest peaks."""
TILE_PX = 192
GAP_PX = 4
CONTRAST = 2.5
"""Standard deviations of the local contrast from grey to black and to white."""
OPACITY = 0.6
"""Of the colour where attention is highest; where there is none the crop is seen as it is."""


def attention_picture(
    observations: Sequence[Observation],
    T_reference_vertebra: NDArray[np.float64],
    size: CropSize,
    attention: torch.Tensor,
) -> NDArray[np.uint8]:
    """One row a view: the crop, the sum of all maps on it, and the `STRONGEST` maps one by one.

    Args:
        observations: V views.
        T_reference_vertebra: (4, 4) where the level is, mm: the crop is turned towards it.
        size: of the crops.
        attention: (V, K, h, w) maps over the crops, each adding up to 1.

    Returns:
        (V (TILE_PX + GAP_PX) - GAP_PX, (2 + STRONGEST) (TILE_PX + GAP_PX) - GAP_PX, 3) RGB; fewer columns where there
        are fewer maps.
    """
    rows = []
    for observation, maps in zip(observations, attention.detach().cpu(), strict=True):
        seen = reproject(observation, [turned_towards(observation.camera, T_reference_vertebra, size)])
        local = normalised(seen.line_integral, seen.usable, size.window_px)[0, 1].numpy()
        crop = _enlarged(np.clip(0.5 + local / (2 * CONTRAST), 0, 1))
        strongest = maps.amax((1, 2)).argsort(descending=True)[:STRONGEST]
        tiles = [_coloured(crop, np.zeros_like(crop))]
        tiles += [_coloured(crop, _heat(heat)) for heat in (maps.sum(0), *maps[strongest])]
        rows.append(_side_by_side(tiles, axis=1))
    return _side_by_side(rows, axis=0)


def _heat(attention: torch.Tensor) -> NDArray[np.float32]:
    """A map (h, w) relative to its highest value, as large as a tile."""
    return _enlarged((attention / attention.max()).numpy())


def _enlarged(image: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(cv2.resize(image, (TILE_PX, TILE_PX), interpolation=cv2.INTER_LINEAR), dtype=np.float32)


def _coloured(crop: NDArray[np.float32], heat: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Grey (TILE_PX, TILE_PX), 0 to 1, with heat, 0 to 1, from red to yellow over it."""
    share = OPACITY * heat[..., None]
    colour = np.stack([np.ones_like(heat), heat, np.zeros_like(heat)], -1)
    return np.round(255 * ((1 - share) * crop[..., None] + share * colour)).astype(np.uint8)


def _side_by_side(pictures: Sequence[NDArray[np.uint8]], axis: int) -> NDArray[np.uint8]:
    """Pictures (H, W, 3) of one size along an axis, with white gaps."""
    shape = list(pictures[0].shape)
    shape[axis] = GAP_PX
    gap = np.full(shape, 255, np.uint8)
    joined = [pictures[0]]
    for picture in pictures[1:]:
        joined += [gap, picture]
    return np.concatenate(joined, axis)
