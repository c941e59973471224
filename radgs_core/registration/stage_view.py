"""One X-ray at one stage: the rendering of the scene compared with it, with derivatives by all poses."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from radgs_core.geometry.rigid import transform_points
from radgs_core.radgs.pose_derivatives import PoseDerivatives
from radgs_core.registration.coverage import covered_by_ct
from radgs_core.registration.filters import kernel_radius, smooth, smooth_gradient
from radgs_core.registration.scene import BodyImage, ScenePoses
from radgs_core.registration.similarity import LocalCorrelation, local_correlation
from radgs_core.registration.stages import Stage
from radgs_core.registration.subject import Subject
from radgs_core.xray.observation import Observation

NOMINAL_SOURCE_TO_DETECTOR_MM = 1000.0
"""Gives the stages' lengths a meaning in pixels: a pinhole does not know how far away its detector is."""
FINEST_BODY_VOXEL_MM = 2.0
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
        start: poses at the beginning of the stage.
    """

    def __init__(self, subject: Subject, observation: Observation, stage: Stage, start: ScenePoses) -> None:
        full_pixel_mm = NOMINAL_SOURCE_TO_DETECTOR_MM / observation.camera.camera_matrix[0, 0]
        factor = max(1, round(stage.pixel_mm / full_pixel_mm))
        pixel_mm = full_pixel_mm * factor
        self._camera = observation.camera.resized(factor)
        self._blur_px, self._window_px = stage.blur_mm / pixel_mm, stage.window_mm / pixel_mm
        self._margin_px = FOOTPRINT_MARGIN_MM / pixel_mm
        self._body_share = stage.body_share
        self._vertebrae = subject.vertebrae

        spine = transform_points(start.body, subject.centres_ct_mm.mean(0))
        depth = transform_points(self._camera.T_camera_reference, spine)[2]
        voxel_mm = max(FINEST_BODY_VOXEL_MM, pixel_mm * depth / NOMINAL_SOURCE_TO_DETECTOR_MM)
        self._body = BodyImage(subject.body.downsampled(voxel_mm), self._camera, voxel_mm)

        usable = _averaged(observation.usable, factor) > 0.999
        usable &= covered_by_ct(subject.body, self._camera, start.body)
        usable = _eroded(usable, kernel_radius(self._blur_px))
        image = _averaged(observation.line_integral, factor)
        self._usable = usable.to(image.dtype)
        self._target = smooth_gradient(image, self._blur_px) * self._usable

    def evaluate(self, poses: ScenePoses, centres_mm: NDArray[np.float64]) -> ViewEvaluation:
        """Compare the scene at some poses.

        Args:
            poses: of the body and the vertebrae.
            centres_mm: (1 + L, 3) points that the twists turn about, body first.
        """
        image, derivatives = self._body.at(poses.body, centres_mm[0])
        body = smooth_gradient(torch.cat([image[None], derivatives]), self._blur_px)
        parts = self._vertebrae.rasterize(
            self._camera,
            torch.as_tensor(poses.levels),
            torch.as_tensor(centres_mm[1:]),
            margin_px=kernel_radius(self._blur_px),
        )
        jacobian = torch.zeros(6 + 6 * len(parts), *body.shape[1:])
        jacobian[:6] = body[1:]
        bone = torch.zeros_like(body[0])
        for block, part in zip(jacobian[6:].split(6), parts, strict=True):
            gradients, rows, columns = self._placed_gradient(part)
            bone[:, rows, columns] += gradients[0]
            block[:, :, rows, columns] = gradients[1:]
        footprints = torch.stack([self._footprint(part) for part in parts])
        shares = footprints / footprints.sum((1, 2), keepdim=True).clamp(min=1)
        everywhere = self._usable / self._usable.sum().clamp(min=1)
        weight = (1 - self._body_share) * shares.mean(0) + self._body_share * everywhere
        fit = local_correlation(self._target, body[0], bone, self._usable, weight, self._window_px)
        gradient, curvature = _normal_equations(jacobian, fit)
        return ViewEvaluation(
            score=float((fit.correlation.square() * weight).sum()) / 2,
            gradient=gradient,
            curvature=curvature,
            similarity=(shares * fit.correlation).sum((1, 2)).double().numpy(),
            bone_similarity=(shares * fit.bone_correlation).sum((1, 2)).double().numpy(),
        )

    def _placed_gradient(self, part: PoseDerivatives) -> tuple[torch.Tensor, slice, slice]:
        """Gradients (7, 2, h, w) of a part's images, blurred over its border, and where they lie in the whole image."""
        return self._clipped(smooth_gradient(part.images, self._blur_px), part.top, part.left)

    def _footprint(self, part: PoseDerivatives) -> torch.Tensor:
        """(H, W) 1 on the usable pixels on and around a vertebra."""
        footprint = torch.zeros_like(self._usable)
        if part.images.numel():
            covered = part.images[0] > FOOTPRINT_SHARE * part.images[0].max()
            covered, rows, columns = self._clipped(covered, part.top, part.left)
            footprint[rows, columns] = covered.to(footprint.dtype)
        return (smooth(footprint, self._margin_px) > 0.1).to(footprint.dtype) * self._usable

    def _clipped(self, part: torch.Tensor, top: int, left: int) -> tuple[torch.Tensor, slice, slice]:
        """What of a part (..., h, w) placed at (top, left) lies inside the image, and where."""
        first_row, first_column = max(top, 0), max(left, 0)
        rows = slice(first_row, max(first_row, min(top + part.shape[-2], self._camera.height)))
        columns = slice(first_column, max(first_column, min(left + part.shape[-1], self._camera.width)))
        inner = part[..., rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
        return inner, rows, columns


def _normal_equations(jacobian: torch.Tensor, fit: LocalCorrelation) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Gradient (n,) and curvature (n, n) from the gradients' derivatives (n, 2, H, W), body first."""
    body, bone = jacobian[:6].flatten(1), jacobian[6:].flatten(1)
    gradient = torch.cat([body @ fit.pull_body.flatten(), bone @ fit.pull_bone.flatten()])
    body_body = (jacobian[:6] * fit.body).flatten(1) @ body.T
    body_bone = (jacobian[:6] * fit.cross).flatten(1) @ bone.T
    bone_bone = (jacobian[6:] * fit.bone).flatten(1) @ bone.T
    curvature = torch.cat([torch.cat([body_body, body_bone], 1), torch.cat([body_bone.T, bone_bone], 1)])
    return gradient.double().numpy(), curvature.double().numpy()


def _averaged(image: torch.Tensor, factor: int) -> torch.Tensor:
    return torch.nn.functional.avg_pool2d(image[None, None], factor)[0, 0]


def _eroded(mask: torch.Tensor, radius: int) -> torch.Tensor:
    outside = torch.nn.functional.pad((~mask).float()[None, None], [radius] * 4, value=1.0)
    grown = torch.nn.functional.max_pool2d(outside, (2 * radius + 1, 1), stride=1)
    return torch.nn.functional.max_pool2d(grown, (1, 2 * radius + 1), stride=1)[0, 0] < 0.5
