"""Where collimator blades cover the border of an X-ray."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

SEARCHED_SHARE = 0.16
"""Blades are looked for in this share of the image along each border."""
SLOPES = np.linspace(-0.1, 0.1, 41)
"""Blades stand within about 6 degrees of the image's borders."""
LEAST_JUMP = 0.05
"""The least mean jump of the line integral over an edge: behind a thick body, scatter fills in most of a shadow."""
LEAST_AGREEMENT = 0.7
"""So large a share of the rows (or columns) must get darker over the edge."""
JUMP_OVER_PX = 6
MARGIN_PX = 4
BLUR_PX = 1.5


def inside_blades(line_integral: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(H, W) bool: pixels that no blade covers; everything where no straight dark border is found."""
    inside = np.ones(line_integral.shape, dtype=bool)
    for quarter_turns in range(4):
        # each border in turn becomes the left one; rot90 gives views, so that writing to one writes to the mask
        _cut_left(np.rot90(line_integral, quarter_turns), np.rot90(inside, quarter_turns))
    return inside


def _cut_left(line_integral: NDArray[np.float32], inside: NDArray[np.bool_]) -> None:
    height, width = line_integral.shape
    band = max(4, round(SEARCHED_SHARE * width))
    smooth = ndimage.gaussian_filter(line_integral[:, : band + JUMP_OVER_PX], BLUR_PX, mode="nearest")
    # positive where it is darker (a higher line integral) outside; clipped, so that many rows must agree on an edge
    jump = np.clip(smooth[:, :band] - smooth[:, JUMP_OVER_PX:], -0.1, 1.0)
    rows = np.arange(height)
    best, best_edge = LEAST_JUMP, None
    for slope in SLOPES:
        tilt = np.rint(slope * (rows - height / 2)).astype(int)
        for offset in range(band):
            edge = offset + tilt
            visible = (edge >= 0) & (edge < band)
            along = jump[rows[visible], edge[visible]]
            if len(along) < LEAST_AGREEMENT * height:
                continue
            mean = float(along.mean())
            if mean >= best and (along > 0).mean() > LEAST_AGREEMENT:
                best, best_edge = mean, edge
    if best_edge is not None:
        inside[np.arange(width) < best_edge[:, None] + JUMP_OVER_PX // 2 + MARGIN_PX] = False
