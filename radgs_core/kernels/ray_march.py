"""Warp kernel of ray marching; ray_march.h says what it does.

Layouts: values (layer_height, count, layer_width), geometry (33,) as the struct RayGeometry, images (7, height, width).
"""

import warp as wp

from radgs_core.kernels.engine import options
from radgs_core.kernels.native import Doubles, Floats, native_kernel

wp.set_module_options(options("ray_march.h"))


@native_kernel("ray_march_task")
def ray_march(
    values: Floats,
    layer_width: int,
    layer_height: int,
    count: int,
    geometry: Doubles,
    width: int,
    height: int,
    tasks: int,
    images: Floats,
) -> None: ...
