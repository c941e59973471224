"""One X-ray at one stage: the rendering of the scene compared with it, with derivatives by all poses."""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from radgs_core.geometry.rigid import transform_points
from radgs_core.gradient_filter import kernel_radius, smooth, smooth_gradient
from radgs_core.radgs.pose_derivatives import PoseDerivatives
from radgs_core.registration.body import BodyImage
from radgs_core.registration.coverage import covered_by_ct
from radgs_core.registration.normal_equations import PlacedDerivatives, normal_equations
from radgs_core.registration.scene import ScenePoses
from radgs_core.registration.similarity import LocalCorrelation
from radgs_core.registration.stages import Stage
from radgs_core.registration.subject import Subject
from radgs_core.xray.observation import Observation

NOMINAL_SOURCE_TO_DETECTOR_MM = 1000.0
"""Gives the stages' lengths a meaning in pixels: a pinhole does not know how far away its detector is."""
FINEST_BODY_VOXEL_MM = 1.4
FOOTPRINT_MARGIN_MM = 4.0
FOOTPRINT_SHARE = 0.02
"""A vertebra's footprint is where its line integral exceeds this share of its peak, and a margin around."""


@dataclass(frozen=True)
class ViewEvaluation:
    """The objective of one view, to be maximised, and its quadratic model over the twists (body first, then levels).

    Attributes:
        score: weighted mean over windows of half the squared local correlation.
        gradient: (6 + 6 L,) per mm and rad.
        curvature: (6 + 6 L, 6 + 6 L), Gauss-Newton, positive semidefinite.
        similarity: (L,) mean local correlation over each vertebra's footprint.
        bone_similarity: (L,) mean partial correlation of bone over it.
    """

    score: float
    gradient: NDArray[np.float64]
    curvature: NDArray[np.float64]
    similarity: NDArray[np.float64]
    bone_similarity: NDArray[np.float64]


class StageView:
    """One X-ray at the resolution of one stage.

    Args:
        subject: what is looked for.
        observation: the X-ray.
        stage: the scale.
        start: poses at the beginning of the stage. The vertebrae's footprints there stay their footprints, so that the
            objective is the same function all through the stage.
    """

    def __init__(self, subject: Subject, observation: Observation, stage: Stage, start: ScenePoses) -> None:
        full_pixel_mm = NOMINAL_SOURCE_TO_DETECTOR_MM / observation.camera.camera_matrix[0, 0]
        factor = max(1, round(stage.pixel_mm / full_pixel_mm))
        pixel_mm = full_pixel_mm * factor
        self._camera = observation.camera.resized(factor)
        self._size = self._camera.height, self._camera.width
        self._blur_px = stage.blur_mm / pixel_mm
        self._vertebrae = subject.vertebrae

        spine = transform_points(start.body, subject.centres_ct_mm.mean(0))
        depth = transform_points(self._camera.T_camera_reference, spine)[2]
        voxel_mm = max(FINEST_BODY_VOXEL_MM, pixel_mm * depth / NOMINAL_SOURCE_TO_DETECTOR_MM)
        self._body = BodyImage(subject.body.averaged(voxel_mm), self._camera, self._blur_px, stage.blur_mm)

        usable = _averaged(observation.usable, factor) > 0.999
        usable &= covered_by_ct(subject.body.finest, self._camera, start.body)
        usable = _eroded(usable, kernel_radius(self._blur_px)).float()
        target = smooth_gradient(_averaged(observation.line_integral, factor), self._blur_px) * usable
        self._correlation = LocalCorrelation(target, usable, stage.window_mm / pixel_mm)

        centres_mm = np.stack([pose[:3, 3] for pose in start.levels])  # any will do for images alone
        footprints = torch.stack(
            [self._footprint(part, FOOTPRINT_MARGIN_MM / pixel_mm) for part in self._parts(start, centres_mm)]
        )
        shares = self._correlation.windows.pool(footprints * usable)
        self._shares = shares / shares.sum((1, 2), keepdim=True).clamp(min=1)
        everywhere = self._correlation.windows.pool(usable / usable.sum().clamp(min=1))
        self._weight = (1 - stage.body_share) * self._shares.mean(0) + stage.body_share * everywhere

    def evaluate(self, poses: ScenePoses, centres_mm: NDArray[np.float64]) -> ViewEvaluation:
        """Compare the scene at some poses.

        Args:
            poses: of the body and the vertebrae.
            centres_mm: (1 + L, 3) points that the twists turn about, body first.
        """
        body = self._body.gradients(poses.body, centres_mm[0])
        bone = torch.zeros_like(body[0])
        levels = []
        for part in self._parts(poses, centres_mm[1:]):
            gradients = smooth_gradient(part.images, self._blur_px)
            levels.append(PlacedDerivatives(gradients[1:], part.top, part.left))
            inner, rows, columns = part.inside(gradients[0], *self._size)
            bone[:, rows, columns] += inner
        fit = self._correlation.fit(body[0], bone, self._weight)
        gradient, curvature = normal_equations(body[1:], levels, fit)
        return ViewEvaluation(
            score=0.5 * float(_sums(fit.correlation.square() * self._weight)),
            gradient=gradient,
            curvature=curvature,
            similarity=_sums(self._shares * fit.correlation),
            bone_similarity=_sums(self._shares * fit.bone_correlation),
        )

    def _parts(self, poses: ScenePoses, centres_mm: NDArray[np.float64]) -> list[PoseDerivatives]:
        """The vertebrae's images, with room around them for the blur."""
        return self._vertebrae.rasterize(
            self._camera,
            torch.as_tensor(poses.levels),
            torch.as_tensor(centres_mm),
            margin_px=kernel_radius(self._blur_px),
        )

    def _footprint(self, part: PoseDerivatives, margin_px: float) -> torch.Tensor:
        """(H, W) 1 on the pixels on and around a vertebra."""
        footprint = torch.zeros(self._size)
        if part.images.numel():
            image, rows, columns = part.inside(part.images[0], *self._size)
            footprint[rows, columns] = (image > FOOTPRINT_SHARE * part.images[0].max()).float()
        return (smooth(footprint, margin_px) > 0.1).float()


def _sums(images: torch.Tensor) -> NDArray[np.float64]:
    """(...) sums over images (..., h, w); torch's order of a whole sum depends on the number of threads."""
    return images.numpy().sum((-2, -1), dtype=np.float64)


def _averaged(image: torch.Tensor, factor: int) -> torch.Tensor:
    return torch.nn.functional.avg_pool2d(image[None, None], factor)[0, 0]


def _eroded(mask: torch.Tensor, radius: int) -> torch.Tensor:
    """Pixels around which all pixels of the mask are set; none is beyond the border."""
    square = np.ones((2 * radius + 1, 2 * radius + 1), dtype=np.uint8)
    eroded = cv2.erode(mask.numpy().astype(np.uint8), square, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return torch.from_numpy(eroded > 0)
