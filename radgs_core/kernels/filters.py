"""Warp kernel of separable filters; filters.h says what it does.

Layouts, for N images and F filters (one or two) of taps at -reach..reach:

    images (N, H, W), out (N, F, H, W)
    taps (2, F, 2 reach + 1 + 2 TAPS_PADDING): along y, then along x, with zeros before and after
    scratch (tasks, F, ROWS_AT_ONCE, W + 2 reach + LINE_PADDING)
"""

import warp as wp

from radgs_core.kernels.engine import options
from radgs_core.kernels.native import Floats, native_kernel

TAPS_PADDING = 3
LINE_PADDING = 16
ROWS_AT_ONCE = 4

wp.set_module_options(options("filters.h"))


@native_kernel("filter_task")
def separable_filter(
    images: Floats,
    height: int,
    width: int,
    taps: Floats,
    reach: int,
    filters: int,
    bands: int,
    scratch: Floats,
    out: Floats,
) -> None: ...
