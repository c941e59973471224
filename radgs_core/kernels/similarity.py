"""Warp kernels of the local correlation; similarity.h and cells.h say what they do.

Layouts, for images of H x W pixels and h x w cells of ``stride`` pixels each way:

    target, body, bone (2, H, W), usable (H, W)
    sums (5, h, w), maps (6, h, w); ff, weight, correlation, bone_correlation (h, w); floor (1,)
    pulls (2, 2, H, W), weights (3, H, W)
"""

import warp as wp

from radgs_core.kernels.engine import options
from radgs_core.kernels.native import Floats, native_kernel

MAX_STRIDE = 8

wp.set_module_options(options("similarity.h"))


@native_kernel("pool_task")
def pool(images: Floats, height: int, width: int, stride: int, out: Floats) -> None: ...


@native_kernel("products_task")
def products(
    target: Floats, body: Floats, bone: Floats, usable: Floats, height: int, width: int, stride: int, sums: Floats
) -> None: ...


@native_kernel("gains_task")
def gains(
    ff: Floats,
    sums: Floats,
    floor: Floats,
    weight: Floats,
    count: int,
    ridge_share: float,
    correlation: Floats,
    bone_correlation: Floats,
    maps: Floats,
) -> None: ...


@native_kernel("pulls_task")
def pulls(
    maps: Floats,
    target: Floats,
    body: Floats,
    bone: Floats,
    usable: Floats,
    height: int,
    width: int,
    stride: int,
    pulls: Floats,
    weights: Floats,
) -> None: ...
