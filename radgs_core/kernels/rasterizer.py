"""Warp kernels of the rasterizer; rasterizer_tasks.h says what they do.

Layouts, for V views and N Gaussians in G groups:

    means, scales (N, 3), quaternions (N, 4), densities, group_of (N,)
    T_camera_group (V, G, 12) float64, rows of the 3x4 matrices
    cameras (V, 7) float64: fx, skew, cx, fy, cy, width, height
    footprints (V, N, 16), moments (V, 12, N)
    offsets (V, 2) int64: where a view's padded image and its plain image begin
"""

import warp as wp

from radgs_core.kernels.engine import options
from radgs_core.kernels.native import Doubles, Floats, Ints, Longs, native_kernel

FOOTPRINT_SIZE = 16
MOMENTS = 12
PADDING = 16
"""How much longer than the image the rows of padded images are."""

wp.set_module_options(options("rasterizer_tasks.h"))


@native_kernel("project_task")
def project(
    means: Floats,
    scales: Floats,
    quaternions: Floats,
    densities: Floats,
    group_of: Ints,
    T_camera_group: Doubles,
    count: int,
    block: int,
    groups: int,
    cameras: Doubles,
    cutoff: float,
    footprints: Floats,
) -> None: ...


@native_kernel("splat_task")
def splat(
    footprints: Floats,
    count: int,
    shares: int,
    bands: int,
    cameras: Doubles,
    offsets: Longs,
    cutoff: float,
    padded: Floats,
) -> None: ...


@native_kernel("splat_adjoint_task")
def splat_adjoint(
    footprints: Floats,
    count: int,
    shares: int,
    cameras: Doubles,
    offsets: Longs,
    cutoff: float,
    padded: Floats,
    moments: Floats,
) -> None: ...


@native_kernel("unpad_task")
def unpad(cameras: Doubles, offsets: Longs, bands: int, parts: int, padded: Floats, images: Floats) -> None: ...


@native_kernel("pad_task")
def pad(cameras: Doubles, offsets: Longs, bands: int, parts: int, images: Floats, padded: Floats) -> None: ...


@native_kernel("gradient_task")
def gradient(
    means: Floats,
    scales: Floats,
    quaternions: Floats,
    densities: Floats,
    group_of: Ints,
    T_camera_group: Doubles,
    count: int,
    block: int,
    groups: int,
    views: int,
    cameras: Doubles,
    moments: Floats,
    by_means: Floats,
    by_scales: Floats,
    by_quaternions: Floats,
    by_densities: Floats,
    by_transforms: Doubles,
) -> None: ...
