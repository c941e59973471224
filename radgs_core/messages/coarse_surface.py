"""Fewer triangles for people to look at: messages of full surfaces take longer to write than levels to find."""

import numpy as np
from numpy.typing import NDArray


def coarse_surface(vertices_mm: NDArray, faces: NDArray[np.integer], cell_mm: float) -> NDArray[np.float64]:
    """Vertices in one cell of a grid become one, their mean; what is left of the triangles is kept.

    Vertex clustering by Rossignac and Borrel, "Multi-resolution 3D approximations for rendering complex scenes" (1993).

    Args:
        vertices_mm: (N, 3).
        faces: (F, 3) indices of vertices.
        cell_mm: edge of the grid's cells; nothing moves by more than their diagonal.

    Returns:
        (G, 3, 3) corners of the triangles, mm, turning as before.
    """
    _, cluster = np.unique(np.floor(vertices_mm / cell_mm).astype(np.int64), axis=0, return_inverse=True)
    counts = np.bincount(cluster)
    means = np.stack([np.bincount(cluster, vertices_mm[:, axis]) / counts for axis in range(3)], 1)
    corners = cluster[faces]
    flat = (corners == np.roll(corners, 1, axis=1)).any(1)
    return means[corners[~flat]]
