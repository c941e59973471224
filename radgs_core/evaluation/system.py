"""What an evaluation asks of a registration, ours or another."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from radgs_core.geometry.camera import BiplanarGeometry
from radgs_core.io.poses_file import Poses
from radgs_core.radgs.gaussians import RadiativeGaussians


@dataclass(frozen=True)
class SystemResult:
    """What a system says about one pair of X-rays.

    Attributes:
        poses: of all levels of the case, rejected ones included.
        seconds: wall clock from the images in memory to the poses.
        seconds_by_stage: the same by stage, in their order.
        reconstructions: by level, what was reconstructed of the vertebra, in the reference frame, mm; empty if the
            system reconstructs nothing.
    """

    poses: Poses
    seconds: float
    seconds_by_stage: Mapping[str, float]
    reconstructions: Mapping[str, RadiativeGaussians] = field(default_factory=dict)


class System(Protocol):
    """A registration with everything prepared before surgery."""

    def register(
        self, images: Mapping[str, NDArray], geometry: BiplanarGeometry, start: NDArray[np.float64]
    ) -> SystemResult:
        """Register all levels to two X-rays.

        Args:
            images: per view, (height, width) counts.
            geometry: both views.
            start: (4, 4) ``T_reference_ct``, mm, a wrong pose for all levels alike; systems that need no start do not
                look at it.
        """
        ...
