"""Warp kernels of the pose derivatives; pose_derivatives_tasks.h says what they do.

Layouts, for N Gaussians in G groups, one after the other, in one view:

    means, scales (N, 3), quaternions (N, 4), densities, group_of (N,), ends (G,): where each group's Gaussians end
    T_camera_group (G, 12), cameras (1, 7): as in rasterizer.py
    twist_axes (3, 3), twist_origins (G, 3) float64: the twists' frame in camera coordinates
    footprints (N, 16), polynomials (N, 6, 6)
    boxes (G, 4): first and last row, first and last column
    placements (G, 4): top, left, height, width of each group's planes; offsets (G,): where they begin
"""

import warp as wp

from radgs_core.kernels.engine import options
from radgs_core.kernels.native import Doubles, Floats, Ints, Longs, native_kernel

CHANNELS = 7
COEFFICIENTS = 36

wp.set_module_options(options("pose_derivatives_tasks.h"))


@native_kernel("project_group_task")
def project_group(
    means: Floats,
    scales: Floats,
    quaternions: Floats,
    densities: Floats,
    group_of: Ints,
    T_camera_group: Doubles,
    ends: Ints,
    cameras: Doubles,
    twist_axes: Doubles,
    twist_origins: Doubles,
    cutoff: float,
    footprints: Floats,
    polynomials: Floats,
    boxes: Ints,
) -> None: ...


@native_kernel("draw_group_task")
def draw_group(
    footprints: Floats,
    polynomials: Floats,
    ends: Ints,
    cameras: Doubles,
    cutoff: float,
    placements: Ints,
    offsets: Longs,
    images: Floats,
) -> None: ...
