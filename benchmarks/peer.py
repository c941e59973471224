"""What the refinement is compared with: gradient descent on renderings of the CT, with a tool that anybody can install.

Rendering, its derivatives and the similarity are nanodrr's: ray marching, and normalised cross-correlation of image
gradients in patches (of the whole image it was less accurate on these images). Adam moves se(3) twists about the centre
of what moves, coarse to fine, both views at once, one thread a view.

a. *rigid*: the whole CT moves as one body, and every level gets its pose.
b. *per level*: from there, each level moves on its own. The body without vertebrae is rendered once where (a) left it;
   the vertebrae's crops are rendered anew in every step, all of them, because they overlap. Patches are taken around
   the vertebrae.

The peer gets the best there is: the CT's own voxels, masks and fill, the body continued as in the simulation, and the
X-rays turned into line integrals, as the refinement sees them. Resolutions, steps and iterations were set on T5 to T8,
seeds 100 to 104: with half the iterations the mean error of (b) was three times as large, with twice as many it was the
same. It gives no verdicts.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import pad

from benchmarks.peer_descent import Loss, descend
from benchmarks.peer_rendering import Drr, cropped
from benchmarks.peer_view import PeerStage, PeerView, Window
from benchmarks.peer_volumes import attenuation_of, excess_of, whole_ct
from benchmarks.studies import Outcome
from radgs_core.case import Case
from radgs_core.evaluation import evaluate
from radgs_core.geometry.camera import BiplanarGeometry, XrayCamera
from radgs_core.geometry.rigid import transform_points
from radgs_core.io import LevelPose, Poses
from radgs_core.xray import Study
from radgs_core.xray.observation import Observation, observe

RIGID_STAGES = (
    PeerStage(shrink=8, patch_px=9, blur_px=1.5, samples=80, iterations=40, step=0.5),
    PeerStage(shrink=4, patch_px=9, blur_px=1.0, samples=100, iterations=15, step=0.15),
)
LEVEL_STAGES = (
    PeerStage(shrink=4, patch_px=9, blur_px=1.0, samples=64, iterations=40, step=0.3),
    PeerStage(shrink=2, patch_px=13, blur_px=1.0, samples=80, iterations=20, step=0.12),
)
WINDOW_MARGIN_PX = 16
"""Around a vertebra's crop where (a) left it, pixels of the full image: so far it may move."""


@dataclass(frozen=True)
class PeerOutcome:
    """How both variants ended; ``per_level.seconds`` holds those of ``rigid``, which it starts from."""

    rigid: Outcome
    per_level: Outcome


@dataclass(frozen=True)
class PeerPoses:
    """What both variants find.

    Attributes:
        rigid: (4, 4) ``T_reference_ct`` of all levels, mm.
        per_level: (L, 4, 4) ``T_reference_ct`` of each level, mm, in the order of the case.
        rigid_seconds, seconds: wall clock from the images in memory to ``rigid`` and to ``per_level``.
    """

    rigid: NDArray[np.float64]
    per_level: NDArray[np.float64]
    rigid_seconds: float
    seconds: float


class Peer:
    """The peer, its volumes prepared before surgery."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._centres_ct_mm = np.stack([vertebra.T_ct_vertebra[:3, 3] for vertebra in case.levels.values()])
        self._whole = Drr(attenuation_of(whole_ct(case)))
        self._body = attenuation_of(case.body_hu)
        self._excess = [Drr(excess_of(vertebra)) for vertebra in case.levels.values()]

    def registered(self, study: Study, start: NDArray[np.float64]) -> PeerOutcome:
        """Register all levels from one start (4, 4), and compare with the truth."""
        found = self.found(study.images, study.geometry, start)
        rigid = [found.rigid] * len(found.per_level)
        return PeerOutcome(
            self._outcome(study, rigid, found.rigid_seconds), self._outcome(study, found.per_level, found.seconds)
        )

    def found(self, images: Mapping[str, NDArray], geometry: BiplanarGeometry, start: NDArray[np.float64]) -> PeerPoses:
        """Register all levels to two X-rays from one start (4, 4)."""
        began = time.perf_counter()
        observations = [observe(images[name], camera) for name, camera in geometry.views.items()]
        rigid = self._rigid(observations, start)
        rigid_seconds = time.perf_counter() - began
        return PeerPoses(rigid, self._per_level(observations, rigid), rigid_seconds, time.perf_counter() - began)

    def _rigid(self, observations: Sequence[Observation], start: NDArray[np.float64]) -> NDArray[np.float64]:
        pose = start
        for stage in RIGID_STAGES:
            losses = [self._rigid_loss(PeerView(observed, stage), stage) for observed in observations]
            centre = transform_points(pose, self._centres_ct_mm.mean(0))
            pose = descend(losses, pose[None], centre[None], stage.iterations, stage.step)[0]
        return pose

    def _rigid_loss(self, view: PeerView, stage: PeerStage) -> Loss:
        return lambda poses: view.loss(self._whole.image(view.camera, poses[0], stage.samples), [view.whole])

    def _per_level(self, observations: Sequence[Observation], body: NDArray[np.float64]) -> NDArray[np.float64]:
        poses = np.stack([body] * len(self._excess))
        for stage in LEVEL_STAGES:
            losses = [self._level_loss(PeerView(observed, stage), stage, body) for observed in observations]
            centres = np.stack([transform_points(pose, c) for pose, c in zip(poses, self._centres_ct_mm, strict=True)])
            poses = descend(losses, poses, centres, stage.iterations, stage.step)
        return poses

    def _level_loss(self, view: PeerView, stage: PeerStage, body: NDArray[np.float64]) -> Loss:
        background = self._body.line_integral(view.camera, body)
        margin_px = WINDOW_MARGIN_PX / stage.shrink
        windows = [vertebra_window(drr, view.camera, body, margin_px, stage.patch_px) for drr in self._excess]

        def loss(poses: torch.Tensor) -> torch.Tensor:
            rendering = background
            for drr, pose, (rows, columns) in zip(self._excess, poses, windows, strict=True):
                bone = drr.image(cropped(view.camera, rows, columns), pose, stage.samples)
                beside = columns.start, view.camera.width - columns.stop, rows.start, view.camera.height - rows.stop
                rendering = rendering + pad(bone, beside)
            return view.loss(rendering, windows)

        return loss

    def _outcome(self, study: Study, poses: Sequence[NDArray[np.float64]] | NDArray, seconds: float) -> Outcome:
        levels = {label: LevelPose(pose) for label, pose in zip(self._case.levels, poses, strict=True)}
        return Outcome(
            evaluate(self._case, Poses(study.geometry.reference, levels), study.truth, study.geometry), seconds
        )


def vertebra_window(drr: Drr, camera: XrayCamera, body: NDArray[np.float64], margin_px: float, least_px: int) -> Window:
    """The pixels around a vertebra; where it is outside the image, those next to it, at least ``least_px``."""
    corners = camera.project(transform_points(body, drr.corners_ct_mm))
    size = np.array([camera.width, camera.height])
    first = np.clip(np.floor(corners.min(0) - margin_px).astype(int), 0, size - least_px)
    last = np.clip(np.ceil(corners.max(0) + margin_px).astype(int), first + least_px, size)
    return slice(int(first[1]), int(last[1])), slice(int(first[0]), int(last[0]))
