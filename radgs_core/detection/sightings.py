"""Landmarks of rigid objects, and where views saw them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from radgs_core.geometry.camera import XrayCamera


@dataclass(frozen=True)
class Sightings:
    """What V views saw of G rigid objects with N landmarks each. Errors are told in mm at the patient.

    Attributes:
        landmarks_mm: (G, N, 3) CT coordinates.
        pixels: (V, G, N, 2) (column, row) where each was seen.
        sigma_mm: (V, G, N) standard deviation of that, mm at the patient.
        weights: (V, G, N) probability that it was seen at all; 0 leaves it out.
        projections: (V, 3, 4) of the reference frame, mm, to homogeneous pixels; the last row gives the depth, mm.
        mm_per_pixel: (V,) what one pixel covers at the patient.
    """

    landmarks_mm: NDArray[np.float64]
    pixels: NDArray[np.float64]
    sigma_mm: NDArray[np.float64]
    weights: NDArray[np.float64]
    projections: NDArray[np.float64]
    mm_per_pixel: NDArray[np.float64]

    def as_one_object(self) -> "Sightings":
        """All objects as a single rigid one, G = 1."""
        views = len(self.pixels)
        return replace(
            self,
            landmarks_mm=self.landmarks_mm.reshape(1, -1, 3),
            pixels=self.pixels.reshape(views, 1, -1, 2),
            sigma_mm=self.sigma_mm.reshape(views, 1, -1),
            weights=self.weights.reshape(views, 1, -1),
        )

    def within(self, reach_mm: float, poses: NDArray[np.float64]) -> "Sightings":
        """Without what was seen farther from where poses (G, 4, 4) project it."""
        return replace(self, weights=np.where(self.errors_mm(poses) < reach_mm, self.weights, 0.0))

    def errors_mm(self, poses: NDArray[np.float64]) -> NDArray[np.float64]:
        """Distances (V, ..., G, N) from where poses (..., G, 4, 4) project the landmarks to where they were seen.

        Infinite for what a pose puts behind a source.
        """
        points = self.landmarks_mm @ np.swapaxes(poses[..., :3, :3], -1, -2) + poses[..., None, :3, 3]
        projected, depths = project(self.projections, points)
        leading = (1,) * (poses.ndim - 3)
        seen = self.pixels.reshape(len(self.pixels), *leading, *self.pixels.shape[1:])
        distances = np.hypot(*np.moveaxis(projected - seen, -1, 0))
        distances *= self.mm_per_pixel.reshape(-1, *leading, 1, 1)
        return np.where(depths > 0, distances, np.inf)


def projections_of(cameras: Sequence[XrayCamera]) -> NDArray[np.float64]:
    """(V, 3, 4) camera matrix times pose of each view."""
    return np.stack([camera.camera_matrix @ camera.T_camera_reference[:3] for camera in cameras])


def project(
    projections: NDArray[np.float64], points_mm: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Pixels (V, ..., 2) and depths (V, ...), mm, of points (..., 3) of the reference frame."""
    flat = points_mm.reshape(-1, 3) @ np.swapaxes(projections[:, :, :3], 1, 2) + projections[:, None, :, 3]
    homogeneous = flat.reshape(len(projections), *points_mm.shape)
    depths = homogeneous[..., 2]
    return homogeneous[..., :2] / depths[..., None], depths
