"""From detected landmarks to first poses, without any start: the spine as one rigid body, then level by level."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from radgs_core.case import Case
from radgs_core.detection.agreement import AGREEING_MM, LEAST_LANDMARKS, agreeing, why_unusable
from radgs_core.detection.consensus import agreed_pose
from radgs_core.detection.detections import Detections
from radgs_core.detection.landmarks import landmarks_ct_mm
from radgs_core.detection.pose_fit import Motion, fitted_poses
from radgs_core.detection.rays import nearest_points
from radgs_core.detection.sightings import Sightings, projections_of
from radgs_core.geometry.camera import XrayCamera

LEAST_CONFIDENCE = 0.25
"""A landmark that is less likely to be where it was seen is not looked at."""
LARGEST_GATE_MM = 12.0
"""A sighting farther than this from where the rigid spine has its landmark is wrong; where levels are closer together
than twice this, half their distance counts, because it is the neighbour's landmark that was seen."""
LANDMARK_SIGMA_MM = 0.7
"""Error that every sighting has at least, whatever the detector thinks of it."""
BENDING = Motion(3.0, 3.0)
"""Of a level against the rigid spine."""
BENDING_SIGMA_MM = 4.0
"""What bending makes of a landmark's place in the rigid spine: 3 mm, and 3 degrees at an arm of 50 mm."""
ANYWHERE = Motion(300.0, 180.0)
"""Of the rigid spine against the consensus: hardly a prior, but every direction is determined."""


@dataclass(frozen=True)
class FirstPoses:
    """Where the spine and its levels are, exactly enough to start from.

    Attributes:
        T_reference_body: (4, 4) where the spine as a whole carries the CT's coordinates, mm.
        T_reference_level: by label, where each vertebra does; one that is hardly seen stays with the spine.
        agreeing: by label, how many of the vertebra's landmarks, counted in each view, were seen within
            ``AGREEING_MM`` of where its pose projects them; at most V P.
        residual_mm: median distance between seen and projected landmarks, mm at the patient; infinite if none.
        reason: empty, or one sentence that says why this is no start, and what to do. The poses may then be far off,
            and are NaN where there was nothing to begin with.
    """

    T_reference_body: NDArray[np.float64]
    T_reference_level: Mapping[str, NDArray[np.float64]]
    agreeing: Mapping[str, int]
    residual_mm: float
    reason: str


def first_poses(case: Case, cameras: Sequence[XrayCamera], detections: Detections) -> FirstPoses:
    """Poses from detections that may be vague, missing, or wrong for many landmarks, a whole level, or half a view.

    Landmarks seen in both views give points in space; the rigid pose most sightings agree with is refined on all of
    them, those of a single view included. Against that pose every level has a prior of how far spines bend.

    Args:
        case: the patient.
        cameras: the views, ap and lateral.
        detections: of all levels of the case, in these views.

    Raises:
        ValueError: the detections are of another number of views, levels or landmarks.
    """
    landmarks = np.stack([landmarks_ct_mm(vertebra) for vertebra in case.levels.values()])
    if detections.sigma_px.shape != (len(cameras), *landmarks.shape[:2]):
        raise ValueError(
            f"detections must be of {len(cameras)} views and {landmarks.shape[:2]} levels and landmarks, but are of"
            f" {detections.sigma_px.shape}."
        )
    confident = detections.confidence >= LEAST_CONFIDENCE
    in_all = confident.all(0)
    if in_all.sum() < LEAST_LANDMARKS:
        return _nowhere(
            case,
            f"only {in_all.sum()} of {in_all.size} landmarks of the vertebrae are found in both images; take images"
            " that show the prepared levels.",
        )
    points, distances = nearest_points(cameras, detections.pixels)
    meeting = in_all & (distances < AGREEING_MM)
    if meeting.sum() < LEAST_LANDMARKS:
        return _nowhere(
            case,
            f"the images contradict each other: only {meeting.sum()} of {in_all.sum()} landmarks found in both are"
            " at one place in space; check the geometry, and that no image is exchanged, turned or mirrored.",
        )
    sightings = _sightings(landmarks, cameras, detections, confident, points[meeting])
    gate_mm = _gate_mm(case)

    whole = sightings.as_one_object()
    whole = replace(whole, sigma_mm=np.hypot(whole.sigma_mm, BENDING_SIGMA_MM))
    trust = detections.confidence.prod(0)
    body = agreed_pose(landmarks[meeting], points[meeting], trust[meeting], whole, gate_mm)[None]
    for _ in range(2):  # the consensus of three points is coarse: what it leaves out wrongly comes back
        body = fitted_poses(whole.within(gate_mm, body), body, ANYWHERE)

    starts = np.repeat(body, len(landmarks), axis=0)
    levels = fitted_poses(sightings.within(gate_mm, starts), starts, BENDING)
    return FirstPoses(
        body[0],
        dict(zip(case.levels, levels, strict=True)),
        dict(zip(case.levels, agreeing(sightings, levels).sum((0, 2)).tolist(), strict=True)),
        float(np.median(sightings.errors_mm(levels)[confident])),
        why_unusable(case, cameras, sightings, body[0], levels),
    )


def _nowhere(case: Case, reason: str) -> FirstPoses:
    nowhere = np.full((4, 4), np.nan)
    return FirstPoses(nowhere, dict.fromkeys(case.levels, nowhere), dict.fromkeys(case.levels, 0), np.inf, reason)


def _sightings(
    landmarks_mm: NDArray[np.float64],
    cameras: Sequence[XrayCamera],
    detections: Detections,
    confident: NDArray[np.bool_],
    points_mm: NDArray[np.float64],
) -> Sightings:
    """Detections in mm at the patient, who is where the points (M, 3) of the reference frame are."""
    middle = np.median(points_mm, axis=0)
    mm_per_pixel = np.array(
        [
            camera.T_reference_camera[:3, 2] @ (middle - camera.source_mm) / camera.camera_matrix[0, 0]
            for camera in cameras
        ]
    )
    sigma_mm = np.hypot(detections.sigma_px * mm_per_pixel[:, None, None], LANDMARK_SIGMA_MM)
    weights = np.where(confident, detections.confidence, 0.0)
    return Sightings(landmarks_mm, detections.pixels, sigma_mm, weights, projections_of(cameras), mm_per_pixel)


def _gate_mm(case: Case) -> float:
    centres = np.stack([vertebra.T_ct_vertebra[:3, 3] for vertebra in case.levels.values()])
    distances = np.linalg.norm(np.diff(centres, axis=0), axis=1)
    return float(np.min(distances / 2, initial=LARGEST_GATE_MM))
