"""A phantom: a cylinder of soft tissue with three vertebrae."""

from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from radgs_core.io.labels import LabelMap
from radgs_core.volume import Volume

SPACING_MM = np.array([1.5, 1.5, 2.0])
SHAPE = (64, 60, 56)
CENTRES_MM = {"T12": (2.0, 10.0, 22.0), "L1": (0.0, 8.0, 0.0), "L2": (-2.0, 9.0, -22.0)}
VALUES = {"T12": 19, "L1": 20, "L2": 21}


def grid(T_ct_voxel: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """CT coordinates (..., 3) of all voxel centres."""
    return np.stack(np.indices(shape), -1) @ T_ct_voxel[:3, :3].T + T_ct_voxel[:3, 3]


def body_of(points: NDArray[np.float64], centre: tuple[float, float, float]) -> NDArray[np.bool_]:
    """A vertebra that is symmetrical from left to right: a cylinder, and a bar behind it."""
    x, y, z = np.moveaxis(points - centre, -1, 0)
    return (((x / 12) ** 2 + (y / 9) ** 2 < 1) & (abs(z) < 8)) | ((abs(x) < 3) & (y > 0) & (y < 22) & (abs(z) < 4))


def make_phantom(T_ct_voxel: NDArray[np.float64], shape: tuple[int, ...]) -> tuple[Volume, LabelMap]:
    points = grid(T_ct_voxel, shape)
    hu = np.where((points[..., 0] / 42) ** 2 + (points[..., 1] / 38) ** 2 < 1, 40, -1000).astype(np.int16)
    labels = np.zeros(shape, np.uint8)
    for level, centre in CENTRES_MM.items():
        inside = body_of(points, centre)
        hu[inside], labels[inside] = 500, VALUES[level]
    return Volume(hu, T_ct_voxel), LabelMap(Volume(labels, T_ct_voxel), MappingProxyType(VALUES), "verse")
