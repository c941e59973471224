"""Joint refinement of the body's and every vertebra's pose against two X-rays.

Levenberg-Marquardt on the local gradient correlation (`similarity`), coarse to fine. At first everything moves as one
rigid body, which brings a wrong start into reach; then each vertebra moves on its own, and so does the body, whose
edges lie over every vertebra.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from radgs_core.geometry.camera import XrayCamera
from radgs_core.geometry.rigid import transform_points
from radgs_core.radgs.gaussians import RadiativeGaussians
from radgs_core.radgs.pose_derivatives import rasterize_with_pose_derivatives
from radgs_core.registration.filters import kernel_radius, smooth, smooth_gradient
from radgs_core.registration.scene import BodyImage, Poses
from radgs_core.registration.similarity import LocalCorrelation, local_correlation
from radgs_core.xray.observation import Observation
from radgs_core.xray.raycast import RayCastVolume

LEVER_MM = 40.0
"""Turns radians into millimetres for damping and convergence: about the radius of a vertebra with its processes."""


@dataclass(frozen=True)
class Stage:
    """One step from coarse to fine; lengths on the detector.

    Attributes:
        pixel_mm: pixels are averaged to about this size.
        blur_mm: standard deviation of the blur under which gradients are compared.
        window_mm: standard deviation of the windows of the local correlation.
        iterations: at most so many.
        rigid: the body and all vertebrae move as one.
    """

    pixel_mm: float
    blur_mm: float
    window_mm: float
    iterations: int
    rigid: bool


STAGES = (
    Stage(4.8, 8.0, 40.0, 8, rigid=True),
    Stage(2.4, 5.0, 25.0, 8, rigid=True),
    Stage(2.4, 3.0, 15.0, 6, rigid=True),
    Stage(2.4, 3.0, 12.0, 8, rigid=False),
    Stage(1.2, 2.0, 9.0, 8, rigid=False),
    Stage(1.2, 1.2, 7.0, 8, rigid=False),
)
CONVERGED_MM = 0.03
CONVERGED_SCORE = 2e-6
"""A stage has come to rest when a step is shorter than this or the score gains less than this."""
FINEST_BODY_VOXEL_MM = 2.0
FOOTPRINT_MARGIN_MM = 4.0
UNIFORM_SHARE_RIGID = 1.0
UNIFORM_SHARE_FREE = 0.3


@dataclass(frozen=True)
class Subject:
    """What is looked for.

    Attributes:
        gaussians: of each vertebra, CT frame.
        centres_ct_mm: (L, 3) centroid of each vertebra, CT frame.
        body: attenuation of the rest of the body, 1/mm.
    """

    gaussians: Sequence[RadiativeGaussians]
    centres_ct_mm: NDArray[np.float64]
    body: RayCastVolume


@dataclass(frozen=True)
class Refined:
    """Where refinement ended.

    Attributes:
        poses: of the body and the vertebrae.
        converged: the last stage came to rest.
        iterations: over all stages.
        similarity: (V, L) mean local correlation over each vertebra's footprint in each view.
        information: (6 + 6 L, 6 + 6 L) curvature of the mean over views and levels of the local correlation, mm and
            rad, body first; its inverse is the shape of the uncertainty.
    """

    poses: Poses
    converged: bool
    iterations: int
    similarity: NDArray[np.float64]
    information: NDArray[np.float64]


def refine(
    subject: Subject,
    observations: Sequence[Observation],
    start: Poses,
    stages: Sequence[Stage] = STAGES,
    on_progress: Callable[[float, str], None] = lambda fraction, message: None,
) -> Refined:
    """Refine poses against all views at once.

    Args:
        subject: the prepared patient.
        observations: the X-rays.
        start: initial poses, reference frame, mm.
        stages: coarse to fine.
        on_progress: called with a fraction and a message.
    """
    poses, iterations = start, 0
    total = sum(stage.iterations for stage in stages)
    done = 0
    with ThreadPoolExecutor(max_workers=len(observations)) as workers:
        for number, stage in enumerate(stages):
            problem = _StageProblem(subject, observations, poses, stage, workers)
            solution = _levenberg_marquardt(
                problem, poses, lambda i, done=done, number=number: on_progress((done + i) / total, f"stage {number + 1}")
            )
            poses = solution.poses
            iterations += solution.iterations
            done += stage.iterations
    return Refined(
        poses, solution.converged, iterations, solution.evaluation.similarity, solution.evaluation.hessian
    )


@dataclass(frozen=True)
class _Evaluation:
    """The objective at some poses: mean local correlation, with the gradient and Gauss-Newton curvature of its maximum."""

    score: float
    gradient: NDArray[np.float64]
    hessian: NDArray[np.float64]
    similarity: NDArray[np.float64]


@dataclass(frozen=True)
class _Solution:
    poses: Poses
    converged: bool
    iterations: int
    evaluation: _Evaluation


class _StageProblem:
    """The objective of one stage."""

    def __init__(
        self,
        subject: Subject,
        observations: Sequence[Observation],
        start: Poses,
        stage: Stage,
        workers: ThreadPoolExecutor,
    ) -> None:
        self.stage = stage
        self.workers = workers
        level_centres = np.stack(
            [transform_points(pose, c) for pose, c in zip(start.levels, subject.centres_ct_mm, strict=True)]
        )
        middle = level_centres.mean(0, keepdims=True)
        self.centres_mm = np.concatenate([middle, np.repeat(middle, len(level_centres), 0) if stage.rigid else level_centres])
        self.views = [_StageView(subject, observation, stage, start) for observation in observations]
        unit = np.tile([1.0, 1.0, 1.0, *([1 / LEVER_MM] * 3)], 1 + len(level_centres))
        # columns: the free parameters in mm; rows: the twists of the body and of each vertebra
        self.twists_per_parameter = (
            np.tile(np.diag(unit[:6]), (1 + len(level_centres), 1)) if stage.rigid else np.diag(unit)
        )

    def evaluate(self, poses: Poses) -> _Evaluation:
        parts = list(self.workers.map(lambda view: view.evaluate(poses, self.centres_mm), self.views))
        gradient = sum(part.gradient for part in parts) / len(parts)
        hessian = sum(part.hessian for part in parts) / len(parts)
        return _Evaluation(
            float(np.mean([part.score for part in parts])),
            gradient,
            hessian,
            np.concatenate([part.similarity for part in parts]),
        )

    def moved(self, poses: Poses, parameters: NDArray[np.float64]) -> Poses:
        return poses.moved((self.twists_per_parameter @ parameters).reshape(-1, 6), self.centres_mm)


class _StageView:
    """One view at one stage's resolution."""

    def __init__(self, subject: Subject, observation: Observation, stage: Stage, start: Poses) -> None:
        full = observation.camera
        self.stage = stage
        # a pixel's size on the detector needs the detector's distance, which a pinhole does not know; the usual
        # flat-panel source-to-detector distance serves to give the stages' lengths a meaning in pixels
        pixel_mm = NOMINAL_SOURCE_TO_DETECTOR_MM / full.camera_matrix[0, 0]
        factor = max(1, round(stage.pixel_mm / pixel_mm))
        self.camera = full.resized(factor)
        self.blur_px = stage.blur_mm / (pixel_mm * factor)
        self.window_px = stage.window_mm / (pixel_mm * factor)
        self.gaussians = subject.gaussians
        depth = transform_points(full.T_camera_reference, transform_points(start.body, subject.centres_ct_mm.mean(0)))[2]
        voxel_mm = pixel_mm * factor * depth / NOMINAL_SOURCE_TO_DETECTOR_MM 
        voxel_mm = max(voxel_mm, FINEST_BODY_VOXEL_MM)
        self.body = BodyImage(subject.body.downsampled(voxel_mm), self.camera, voxel_mm)
        usable = _averaged(observation.usable, factor) > 0.999
        image = _averaged(observation.line_integral * observation.usable, factor)
        usable &= subject_covered(subject.body, self.camera, start.body)
        self.target = smooth_gradient(image, self.blur_px)
        self.usable = _eroded(usable, kernel_radius(self.blur_px)).to(image.dtype)
        self.target = self.target * self.usable
        margin_px = FOOTPRINT_MARGIN_MM / (pixel_mm * factor)
        self.margin_px = margin_px

    def evaluate(self, poses: Poses, centres_mm: NDArray[np.float64]) -> _Evaluation:
        height, width = self.camera.height, self.camera.width
        image, derivatives = self.body.at(poses.body, centres_mm[0])
        body = torch.cat([image[None], derivatives])
        body_gradient = smooth_gradient(body, self.blur_px)
        bone_gradient = torch.zeros_like(body_gradient[0])
        footprints, blocks = [], []
        radius = kernel_radius(self.blur_px)
        for gaussians, pose, centre in zip(self.gaussians, poses.levels, centres_mm[1:], strict=True):
            part = rasterize_with_pose_derivatives(
                gaussians, self.camera, torch.as_tensor(pose), torch.as_tensor(centre)
            )
            padded = torch.nn.functional.pad(part.images, [radius] * 4)
            gradient = smooth_gradient(padded, self.blur_px)
            block, rows, columns = _clipped(gradient, part.top - radius, part.left - radius, height, width)
            bone_gradient[:, rows, columns] += block[0]
            blocks.append((block, rows, columns))
            footprint = torch.zeros(height, width)
            covered, r, c = _clipped(part.images[:1], part.top, part.left, height, width)
            footprint[r, c] = (covered[0] > 0.02 * covered.max()).to(footprint.dtype) if covered.numel() else 0
            footprint = (smooth(footprint, self.margin_px) > 0.1).to(footprint.dtype) * self.usable
            footprints.append(footprint)
        areas = [max(float(f.sum()), 1.0) for f in footprints]
        uniform = self.usable / self.usable.sum().clamp(min=1)
        share = UNIFORM_SHARE_RIGID if self.stage.rigid else UNIFORM_SHARE_FREE
        weight = (1 - share) * sum(f / a for f, a in zip(footprints, areas, strict=True)) / len(footprints) + share * uniform
        fit: LocalCorrelation = local_correlation(
            self.target, body_gradient[0], bone_gradient, self.usable, weight, self.window_px
        )
        n = 6 + 6 * len(blocks)
        jacobian = torch.zeros(n, 2, height, width)
        jacobian[:6] = body_gradient[1:]
        for index, (block, rows, columns) in enumerate(blocks):
            jacobian[6 + 6 * index : 12 + 6 * index, :, rows, columns] = block[1:]
        flat = jacobian.reshape(n, -1)
        gradient_vector = torch.cat([flat[:6] @ fit.pull_body.reshape(-1), flat[6:] @ fit.pull_bone.reshape(-1)])
        gradient_vector = gradient_vector.double().numpy()
        hessian = torch.empty(n, n)
        hessian[:6, :6] = (jacobian[:6] * fit.body).reshape(6, -1) @ flat[:6].T
        hessian[:6, 6:] = (jacobian[:6] * fit.cross).reshape(6, -1) @ flat[6:].T
        hessian[6:, :6] = hessian[:6, 6:].T
        hessian[6:, 6:] = (jacobian[6:] * fit.bone).reshape(n - 6, -1) @ flat[6:].T
        hessian = hessian.double().numpy()
        similarity = np.array([[float((fit.correlation * f).sum()) / a for f, a in zip(footprints, areas, strict=True)]])
        return _Evaluation(float((fit.correlation.square() * weight).sum()) / 2, gradient_vector, hessian, similarity)


NOMINAL_SOURCE_TO_DETECTOR_MM = 1000.0


def subject_covered(body: RayCastVolume, camera: XrayCamera, T_reference_ct: NDArray[np.float64]) -> torch.Tensor:
    """(H, W) bool: rays that meet only what the CT has seen, and do not leave it through its first or last slice."""
    T_voxel_camera = np.linalg.inv(body.T_ct_voxel) @ np.linalg.inv(T_reference_ct) @ camera.T_reference_camera
    extent = np.array(body.values.shape[::-1], dtype=np.float64)
    v, u = np.mgrid[: camera.height, : camera.width]
    rays = np.stack([u, v, np.ones_like(u)], -1) @ np.linalg.inv(camera.camera_matrix).T @ T_voxel_camera[:3, :3].T
    origin = T_voxel_camera[:3, 3]
    superior = int(np.argmax(np.abs(body.T_ct_voxel[2, :3])))
    inplane = [axis for axis in range(3) if axis != superior]
    safe = np.where(np.abs(rays) < 1e-12, 1e-12, rays)
    near, far = (-0.5 - origin) / safe, (extent - 0.5 - origin) / safe
    entry = np.minimum(near, far)[..., inplane].max(-1)
    leave = np.maximum(near, far)[..., inplane].min(-1)
    ends = np.stack([origin[superior] + t * rays[..., superior] for t in (entry, leave)])
    inside = ((ends > -0.5) & (ends < extent[superior] - 0.5)).all(0)
    return torch.as_tensor(inside | (leave <= entry))


def _averaged(image: torch.Tensor, factor: int) -> torch.Tensor:
    return torch.nn.functional.avg_pool2d(image[None, None], factor)[0, 0]


def _eroded(mask: torch.Tensor, radius: int) -> torch.Tensor:
    outside = torch.nn.functional.pad((~mask).float()[None, None], [radius] * 4, value=1.0)
    grown = torch.nn.functional.max_pool2d(outside, (2 * radius + 1, 1), stride=1)
    return torch.nn.functional.max_pool2d(grown, (1, 2 * radius + 1), stride=1)[0, 0] < 0.5


def _clipped(
    part: torch.Tensor, top: int, left: int, height: int, width: int
) -> tuple[torch.Tensor, slice, slice]:
    """What of a part (..., h, w) placed at (top, left) lies inside an image, and where."""
    rows = slice(max(top, 0), max(min(top + part.shape[-2], height), max(top, 0)))
    columns = slice(max(left, 0), max(min(left + part.shape[-1], width), max(left, 0)))
    inner = part[..., rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    return inner, rows, columns


def _levenberg_marquardt(problem: _StageProblem, start: Poses, on_iteration: Callable[[int], None]) -> _Solution:
    poses, evaluation = start, problem.evaluate(start)
    damping = 1e-2
    basis = problem.twists_per_parameter
    for iteration in range(1, problem.stage.iterations + 1):
        gradient = basis.T @ evaluation.gradient
        hessian = basis.T @ evaluation.hessian @ basis
        diagonal = np.maximum(hessian.diagonal(), 1e-3 * hessian.diagonal().max())
        step = np.linalg.solve(hessian + damping * np.diag(diagonal), gradient)
        trial_poses = problem.moved(poses, step)
        trial = problem.evaluate(trial_poses)
        on_iteration(iteration)
        if DEBUG:
            print(f"  it {iteration} score {evaluation.score:.4f} -> {trial.score:.4f} step {np.abs(step).max():.3f} damping {damping:.1e}")
        gain = trial.score - evaluation.score
        if gain > 0:
            poses, evaluation = trial_poses, trial
            damping = max(damping / 5, 1e-4)
        else:
            damping *= 10
        if np.abs(step).max() < CONVERGED_MM or 0 < gain < CONVERGED_SCORE:
            return _Solution(poses, True, iteration, evaluation)
    return _Solution(poses, False, problem.stage.iterations, evaluation)


DEBUG = False
