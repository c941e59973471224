"""Warp kernels of the voxelizer; voxelizer_tasks.h says what they do.

Layouts, for N Gaussians in G groups and a grid of I planes of J rows of K columns:

    means, scales (N, 3), quaternions (N, 4), densities, group_of (N,)
    T_frame_group (G, 12) float64, rows of the 3x4 matrices
    transforms (24,) float64: T_frame_voxel and T_voxel_frame, rows of the 3x4 matrices
    ellipsoids (N, 16), moments (10, N)
    volume, gradient (I, J, K); K is at least `MIN_COLUMNS`
"""

import warp as wp

from radgs_core.kernels.engine import options
from radgs_core.kernels.native import Doubles, Floats, Ints, native_kernel

ELLIPSOID_SIZE = 16
MOMENTS = 10
MIN_COLUMNS = 16
"""As many voxels as the CPU works on at a time."""

wp.set_module_options(options("voxelizer_tasks.h"))


@native_kernel("place_task")
def place(
    means: Floats,
    scales: Floats,
    quaternions: Floats,
    densities: Floats,
    group_of: Ints,
    T_frame_group: Doubles,
    count: int,
    block: int,
    transforms: Doubles,
    planes: int,
    rows: int,
    columns: int,
    cutoff: float,
    ellipsoids: Floats,
) -> None: ...


@native_kernel("draw_task")
def draw(
    ellipsoids: Floats,
    count: int,
    shares: int,
    slabs: int,
    transforms: Doubles,
    planes: int,
    rows: int,
    columns: int,
    cutoff: float,
    volume: Floats,
) -> None: ...


@native_kernel("draw_adjoint_task")
def draw_adjoint(
    ellipsoids: Floats,
    count: int,
    shares: int,
    slabs: int,
    transforms: Doubles,
    planes: int,
    rows: int,
    columns: int,
    cutoff: float,
    gradient: Floats,
    moments: Floats,
) -> None: ...


@native_kernel("gradient_task")
def gradient(
    means: Floats,
    scales: Floats,
    quaternions: Floats,
    densities: Floats,
    group_of: Ints,
    T_frame_group: Doubles,
    count: int,
    block: int,
    groups: int,
    transforms: Doubles,
    planes: int,
    rows: int,
    columns: int,
    moments: Floats,
    by_means: Floats,
    by_scales: Floats,
    by_quaternions: Floats,
    by_densities: Floats,
    by_transforms: Doubles,
) -> None: ...
