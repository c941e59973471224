"""One pose for which many landmarks speak, out of points some of which are wrong.

Random sample consensus (Fischler and Bolles 1981, doi 10.1145/358669.358692): poses from three points each, judged by
how well all sightings agree with them.
"""

import numpy as np
from numpy.typing import NDArray

from radgs_core.detection.sightings import Sightings

SAMPLES = 300
"""Poses that are tried. With half of the points wrong every eighth is made of right ones only, so about forty are."""


def agreed_pose(
    points_ct_mm: NDArray[np.float64],
    points_reference_mm: NDArray[np.float64],
    trust: NDArray[np.float64],
    sightings: Sightings,
    gate_mm: float,
) -> NDArray[np.float64]:
    """The best of many poses; the same every time.

    Args:
        points_ct_mm, points_reference_mm: (M, 3), M >= 3, the same points in both frames, mm.
        trust: (M,) positive; a point is tried in proportion to it.
        sightings: of a single rigid object, G = 1.
        gate_mm: a sighting this far off, mm at the patient, speaks neither for nor against a pose.

    Returns:
        (4, 4) ``T_reference_ct``.
    """
    # with exponential waiting times at rates of the trust, the first three are a weighted draw of different points
    # (Efraimidis and Spirakis 2006, doi 10.1016/j.ipl.2005.11.003)
    waiting = np.random.default_rng(0).exponential(size=(SAMPLES, len(trust))) / trust
    chosen = np.argpartition(waiting, 2, axis=1)[:, :3]
    poses = superposition(points_ct_mm[chosen], points_reference_mm[chosen])
    errors = sightings.errors_mm(poses[:, None])
    support = sightings.weights[:, None] * np.maximum(0.0, 1 - (errors / gate_mm) ** 2)
    return poses[np.argmax(support.sum((0, 2, 3)))]


def superposition(source_mm: NDArray[np.float64], target_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rigid transforms (..., 4, 4) that bring points (..., N, 3) closest to others, least squares.

    Kabsch 1978, doi 10.1107/S0567739478001680.
    """
    source_mean, target_mean = source_mm.mean(-2, keepdims=True), target_mm.mean(-2, keepdims=True)
    u, _, vt = np.linalg.svd(np.swapaxes(target_mm - target_mean, -1, -2) @ (source_mm - source_mean))
    u[..., -1] *= np.sign(np.linalg.det(u @ vt))[..., None]  # a rotation, not a reflection
    transforms = np.zeros((*u.shape[:-2], 4, 4))
    transforms[..., :3, :3] = u @ vt
    transforms[..., :3, 3] = (target_mean - source_mean @ np.swapaxes(u @ vt, -1, -2))[..., 0, :]
    transforms[..., 3, 3] = 1.0
    return transforms
