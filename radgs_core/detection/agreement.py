"""Whether first poses are something to start from."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from radgs_core.case import Case
from radgs_core.detection.landmarks import LANDMARKS
from radgs_core.detection.sightings import Sightings
from radgs_core.geometry.camera import VIEW_NAMES, XrayCamera

AGREEING_MM = 6.0
"""Sightings this close agree, mm at the patient: more than a detector errs, far less than levels are apart."""
LEAST_LANDMARKS = 4
"""Landmarks on which both views must agree; three can always be brought to agree."""
LEAST_SHARE = 0.55
"""Of all sightings, each counted by its confidence, must agree: with half of them, the other half may as well tell of
another place."""
LEAST_SHARE_IN_VIEW = 0.35
LEAST_LEVELS = 3
"""On so many levels a landmark must be seen before it counts that it fits on none."""
LEAST_SPREAD_MM = 6.0
"""Of these landmarks, root mean square distance from a line: less leaves the rotation about that line open."""


def why_unusable(
    case: Case,
    cameras: Sequence[XrayCamera],
    sightings: Sightings,
    T_reference_body: NDArray[np.float64],
    T_reference_level: NDArray[np.float64],
) -> str:
    """One sentence that says why poses are no start and what to do, or an empty one.

    Args:
        case: the patient.
        cameras: the views, ap and lateral.
        sightings: of the levels.
        T_reference_body: (4, 4) pose of the spine as a whole.
        T_reference_level: (L, 4, 4) poses of the levels.
    """
    return (
        _disagreeing(sightings, T_reference_level)
        or _undetermined(sightings, T_reference_level)
        or _mirrored(sightings, T_reference_level)
        or _exchanged(case, cameras, T_reference_body)
    )


def agreeing(sightings: Sightings, poses: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(V, G, N) which landmarks were seen where the poses (G, 4, 4) project them."""
    return (sightings.weights > 0) & (sightings.errors_mm(poses) < AGREEING_MM)


def _disagreeing(sightings: Sightings, poses: NDArray[np.float64]) -> str:
    fitting = sightings.weights * agreeing(sightings, poses)
    share = fitting.sum() / sightings.weights.sum()
    in_view = fitting.sum((1, 2)) / sightings.weights.sum((1, 2))
    worst = int(np.argmin(in_view))
    if in_view[worst] < LEAST_SHARE_IN_VIEW or share < LEAST_SHARE:
        return (
            f"only {100 * share:.0f} % of the landmarks found in the images fit the patient's spine,"
            f" {100 * in_view[worst]:.0f} % of those in the {VIEW_NAMES[worst]} image; check that the case is this"
            " patient's, the geometry, and that no image is exchanged, turned or mirrored."
        )
    return ""


def _undetermined(sightings: Sightings, poses: NDArray[np.float64]) -> str:
    found = sightings.landmarks_mm[agreeing(sightings, poses).all(0)]
    if len(found) < LEAST_LANDMARKS or _distance_from_line_mm(found) < LEAST_SPREAD_MM:
        return (
            f"the {len(found)} landmarks on which both images agree are too few or lie on one line, which leaves the"
            " spine free to turn; take images that show the prepared levels completely."
        )
    return ""


def _distance_from_line_mm(points_mm: NDArray[np.float64]) -> float:
    """Root mean square distance of points (N, 3), N >= 3, from the line that fits them best."""
    singular = np.linalg.svd(points_mm - points_mm.mean(0), compute_uv=False)
    return float(np.linalg.norm(singular[1:]) / np.sqrt(len(points_mm)))


def _mirrored(sightings: Sightings, poses: NDArray[np.float64]) -> str:
    """In a mirrored image all that lies in the middle of the body can fit, and what lies beside it then never does."""
    fitting, seen = agreeing(sightings, poses), sightings.weights > 0
    on_no_level = (seen.sum(1) >= LEAST_LEVELS) & ~fitting.any(1)
    for v, name in enumerate(VIEW_NAMES):
        kinds = [kind.replace("_", " ") for kind, never in zip(LANDMARKS, on_no_level[v], strict=True) if never]
        if len(kinds) > 1:
            return (
                f"{' and '.join(kinds)} fit on no level in the {name} image; check that no image is mirrored, and the"
                " geometry."
            )
    return ""


def _exchanged(case: Case, cameras: Sequence[XrayCamera], T_reference_body: NDArray[np.float64]) -> str:
    """The landmarks can fit although AP and lateral are exchanged: then the patient seems to lie on the side."""
    anterior = T_reference_body[:3, :3] @ next(iter(case.levels.values())).T_ct_vertebra[:3, 0]
    ap, lateral = (abs(camera.T_reference_camera[:3, 2] @ anterior) for camera in cameras)
    if ap < lateral:
        return (
            "the ap image shows the patient from the side, and the lateral image from the front or back; check whether"
            " the images, or the views of the geometry, are exchanged."
        )
    return ""
