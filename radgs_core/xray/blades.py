"""Where collimator blades cover the border of an X-ray."""

from dataclasses import dataclass
from functools import lru_cache

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
    if band + JUMP_OVER_PX > width:
        return  # too narrow to compare what is beside an edge
    smooth = ndimage.gaussian_filter(line_integral[:, : band + JUMP_OVER_PX], BLUR_PX, mode="nearest")
    # positive where it is darker (a higher line integral) outside; clipped, so that many rows must agree on an edge
    jump = np.clip(smooth[:, :band] - smooth[:, JUMP_OVER_PX:], -0.1, 1.0)
    edges = _Edges.of(height, band)
    # one after the other, for the sake of memory
    total, darker, rows = (edges.sums(image) for image in (jump, jump > 0, np.ones_like(jump)))
    mean = total / np.maximum(rows, 1)
    found = (rows >= LEAST_AGREEMENT * height) & (darker > LEAST_AGREEMENT * rows) & (mean >= LEAST_JUMP)
    if found.any():
        slope, offset = np.unravel_index(np.argmax(np.where(found, mean, -np.inf)), mean.shape)
        edge = offset + edges.tilts[slope]
        inside[np.arange(width) < edge[:, None] + JUMP_OVER_PX // 2 + MARGIN_PX] = False


@dataclass(frozen=True)
class _Edges:
    """All straight edges that are tried in a band along a border, cut into runs of rows that an edge crosses at one
    column: sums along edges are sums of differences of cumulated rows.

    Attributes:
        tilts: (slopes, height) how many columns each edge is displaced in each row.
        first, last: (runs,) rows of each run.
        columns: (runs, band) where each run lies, in rows padded by ``padding`` on both sides, by the edge's offset.
        starts: (slopes,) the first run of each slope.
    """

    tilts: NDArray[np.intp]
    first: NDArray[np.intp]
    last: NDArray[np.intp]
    columns: NDArray[np.intp]
    starts: NDArray[np.intp]
    padding: int

    @classmethod
    @lru_cache(maxsize=4)  # both borders' lengths of two views
    def of(cls, height: int, band: int) -> "_Edges":
        tilts = np.rint(SLOPES[:, None] * (np.arange(height) - height / 2)).astype(np.intp)
        begins = np.diff(tilts, axis=1, prepend=tilts[:, :1] - 1) != 0
        slope, first = np.nonzero(begins)
        last = np.append(first[1:], height)
        last[np.append(slope[1:] != slope[:-1], True)] = height
        padding = int(np.abs(tilts).max())
        columns = tilts[slope, first][:, None] + np.arange(band) + padding
        return cls(tilts, first, last, columns, np.searchsorted(slope, np.arange(len(SLOPES))), padding)

    def sums(self, image: NDArray) -> NDArray[np.float64]:
        """(slopes, band) sums of an image (height, band) along the edges; nothing lies beyond the band."""
        cumulated = np.pad(image.astype(np.float64), ((1, 0), (self.padding, self.padding))).cumsum(0)
        runs = cumulated[self.last] - cumulated[self.first]
        return np.add.reduceat(np.take_along_axis(runs, self.columns, 1), self.starts, axis=0)
