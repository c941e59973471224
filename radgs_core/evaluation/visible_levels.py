"""Which levels X-rays show well enough that a registration can be asked for them."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from radgs_core.case import Case
from radgs_core.geometry.camera import BiplanarGeometry
from radgs_core.xray.observation import observe
from radgs_core.xray.visibility import LEAST_VISIBLE, visible_share


def visible_levels(
    case: Case,
    images: Mapping[str, NDArray],
    geometry: BiplanarGeometry,
    T_reference_level: Mapping[str, NDArray[np.float64]],
) -> frozenset[str]:
    """Levels that both views show: at least ``LEAST_VISIBLE`` of the surface points fall on usable pixels of each.

    Args:
        case: whose surface points are looked at.
        images: per view, (height, width) pixels as the view's ``intensity`` says.
        geometry: both views.
        T_reference_level: (4, 4) per level, mm: where it truly is.

    Raises:
        InputError: as `observe`.
    """
    observations = [observe(images[view], camera) for view, camera in geometry.views.items()]
    return frozenset(
        label
        for label, pose in T_reference_level.items()
        if all(visible_share(case.levels[label], pose, seen) >= LEAST_VISIBLE for seen in observations)
    )
