"""Surfaces with fewer triangles."""

import numpy as np

from radgs_core.case import Case
from radgs_core.messages.coarse_surface import coarse_surface


def enclosed_mm3(corners: np.ndarray) -> float:
    """Volume inside triangles that turn outwards (divergence theorem)."""
    return float(np.einsum("ij,ij->i", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])).sum() / 6)


def test_it_stays_closed_and_turned_and_near_with_fewer_triangles(phantom_case: Case) -> None:
    vertebra = phantom_case.levels["L1"]
    vertices, faces = vertebra.mesh_vertices_mm, vertebra.mesh_faces
    corners = coarse_surface(vertices, faces, 4.0)
    assert 20 < len(corners) < 0.5 * len(faces)
    full = enclosed_mm3(vertices[faces].astype(np.float64))
    assert 0.85 < enclosed_mm3(corners) / full < 1.05
    nearest = np.linalg.norm(corners.reshape(-1, 1, 3) - vertices, axis=2).min(1)
    assert nearest.max() < 4.0
    edges = np.concatenate([corners[:, [a, b]] for a, b in ((0, 1), (1, 2), (2, 0))])
    net = {}
    for begin, end in np.round(edges, 6).tolist():
        key, back = (tuple(begin), tuple(end)), (tuple(end), tuple(begin))
        net[key] = net.get(key, 0) + 1
        net[back] = net.get(back, 0) - 1
    assert not any(net.values()), "every edge is gone along once in each direction"


def test_cells_smaller_than_triangles_change_nothing() -> None:
    vertices = np.array([[0.0, 0, 0], [5, 0, 0], [0, 5, 0], [0, 0, 5]])
    faces = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
    np.testing.assert_array_equal(coarse_surface(vertices, faces, 1.0), vertices[faces])
