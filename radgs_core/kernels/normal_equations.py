"""Warp kernel of the normal equations; normal_equations.h says what it does.

Layouts, for P parts, the body first, and their pairs in the order (0, 0), (0, 1) .. (1, 1), (1, 2) ..:

    parts (P, 5) int64: address of the derivatives (6, 2, height, width), top, left, height, width
    weights (3, H, W), pulls (2, 2, H, W)
    sums (bands, P (P + 1) / 2, 42) float64: a block (6, 6) and, of a part with itself, its gradient
"""

import warp as wp

from radgs_core.kernels.engine import options
from radgs_core.kernels.native import Doubles, Floats, Longs, native_kernel

PARAMETERS = 6
BLOCK_SIZE = PARAMETERS * PARAMETERS

wp.set_module_options(options("normal_equations.h"))


@native_kernel("normal_equations_task")
def normal_equations(
    parts: Longs,
    part_count: int,
    weights: Floats,
    pulls: Floats,
    height: int,
    width: int,
    rows_a_band: int,
    sums: Doubles,
) -> None: ...
