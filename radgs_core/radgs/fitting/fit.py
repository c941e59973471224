"""Fit of radiative Gaussians to a volume of attenuation.

Cluster centres give the start; gradient descent on all parameters does the rest, against the volume between its voxels
and against ray-cast views at once: voxels hold the edges in all directions, views the mass along the rays.
"""

import numpy as np

from radgs_core.progress import Progress
from radgs_core.radgs.fitting.clusters import clustered
from radgs_core.radgs.fitting.descent import MIN_SCALE_MM, Descent
from radgs_core.radgs.fitting.view_target import ray_cast_views
from radgs_core.radgs.fitting.voxel_target import cut_to_object, sampled
from radgs_core.radgs.gaussians import RadiativeGaussians
from radgs_core.volume import Volume

DEFAULT_GAUSSIANS = 750
STEPS = 300
RESAMPLE_EVERY = 10


def fit_gaussians(
    attenuation: Volume, progress: Progress, *, count: int = DEFAULT_GAUSSIANS, seed: int = 0
) -> RadiativeGaussians:
    """Fit Gaussians to a volume that is zero outside of the object.

    Args:
        attenuation: linear attenuation, 1/mm; may hold negative values.
        progress: called with a fraction and a message.
        count: the number of Gaussians; fewer where the object has fewer samples.
        seed: of the start and of where the volume is sampled; the same seed gives the same fit with any number of
            threads.

    Returns:
        float32 Gaussians in the volume's CT frame, mm, their centres within the object's box.

    Raises:
        ValueError: the volume is zero everywhere.
    """
    rng = np.random.default_rng(seed)
    attenuation = cut_to_object(attenuation)
    progress(0.0, "ray casting")
    views = ray_cast_views(attenuation)
    progress(0.15, "clustering")
    start = clustered(sampled(attenuation, rng), count, MIN_SCALE_MM, rng)
    descent = Descent(start, attenuation, STEPS)
    for step in range(STEPS):
        progress(0.2 + 0.8 * step / STEPS, "fitting Gaussians")
        if step % RESAMPLE_EVERY == 0:
            # other samples each time: Gaussians must fit the volume between the samples as well
            voxels = sampled(attenuation, rng)
        descent.step(voxels, views[step % len(views)])
    return descent.result()
