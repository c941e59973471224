"""The surface of a vertebra's mask: a closed mesh to draw, and evenly spread points to measure on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.measure import marching_cubes

POINT_COUNT = 1000
"""Points on the surface; the evaluation protocol asks for at least 500."""

POINT_GRID_MM = 1.0
MESH_GRID_MM = 2.0
"""Edge of the marching cubes: of the candidates for points, and of the mesh (a few thousand faces)."""

SMOOTHING_MM = 0.7
"""Standard deviation of the Gaussian that takes the voxel steps off a mask, mm; more would eat thin processes."""


@dataclass(frozen=True)
class Mesh:
    """A closed triangle surface, faces counter-clockwise seen from outside.

    Attributes:
        vertices_mm: (V, 3) float32, CT coordinates.
        faces: (F, 3) int32 indices of vertices.
    """

    vertices_mm: NDArray[np.float32]
    faces: NDArray[np.int32]


def mesh_of(mask: NDArray[np.bool_], T_ct_voxel: NDArray[np.float64], grid_mm: float = MESH_GRID_MM) -> Mesh:
    """Surface of a mask (i, j, k) that ``T_ct_voxel`` places, by marching cubes on an isotropic grid of ``grid_mm``."""
    spacing = np.linalg.norm(T_ct_voxel[:3, :3], axis=0)
    padding = np.ceil(4 * SMOOTHING_MM / spacing).astype(int) + 1
    smooth = np.pad(mask, [(p, p) for p in padding]).astype(np.float32)
    smooth = ndimage.gaussian_filter(smooth, SMOOTHING_MM / spacing)
    counts = np.ceil((np.array(smooth.shape) - 1) * spacing / grid_mm).astype(int) + 1
    steps = grid_mm / spacing
    indices = np.meshgrid(*[np.arange(n) * s for n, s in zip(counts, steps, strict=True)], indexing="ij")
    resampled = ndimage.map_coordinates(smooth, indices, order=1, mode="constant")
    vertices, faces, _, _ = marching_cubes(resampled, level=0.5)
    voxels = vertices * steps - padding
    vertices_mm = voxels @ T_ct_voxel[:3, :3].T + T_ct_voxel[:3, 3]
    if signed_volume_mm3(vertices_mm, faces) < 0:
        faces = faces[:, ::-1]
    return Mesh(vertices_mm.astype(np.float32), np.ascontiguousarray(faces, dtype=np.int32))


def surface_points(mask: NDArray[np.bool_], T_ct_voxel: NDArray[np.float64]) -> NDArray[np.float32]:
    """``POINT_COUNT`` points (P, 3) spread evenly over a mask's surface, CT coordinates, mm; the same every time.

    Farthest-point sampling of the vertices of a fine mesh: each point is the one farthest from those chosen before.
    """
    candidates = mesh_of(mask, T_ct_voxel, POINT_GRID_MM).vertices_mm.astype(np.float64)
    count = min(POINT_COUNT, len(candidates))
    chosen = np.empty(count, dtype=np.int64)
    chosen[0] = np.argmax(((candidates - candidates.mean(0)) ** 2).sum(1))
    distance2 = np.full(len(candidates), np.inf)
    for i in range(1, count):
        distance2 = np.minimum(distance2, ((candidates - candidates[chosen[i - 1]]) ** 2).sum(1))
        chosen[i] = np.argmax(distance2)
    return candidates[chosen].astype(np.float32)


def signed_volume_mm3(vertices_mm: NDArray, faces: NDArray) -> float:
    """Volume enclosed by a closed triangle surface; positive when its faces are counter-clockwise seen from outside."""
    a, b, c = (vertices_mm[faces[:, n]].astype(np.float64) for n in range(3))
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)
