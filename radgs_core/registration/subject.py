"""What is looked for in the X-rays."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radgs_core.case import Case
from radgs_core.radgs.pose_derivatives import RigidGroups
from radgs_core.registration.body import Body
from radgs_core.volume import Volume
from radgs_core.xray.attenuation import linear_attenuation
from radgs_core.xray.raycast import RayCastVolume


@dataclass(frozen=True)
class Subject:
    """A case, ready to be rendered.

    Attributes:
        vertebrae: the Gaussians of each vertebra, CT frame.
        centres_ct_mm: (L, 3) centroid of each vertebra, CT frame.
        body: the rest of the body.
    """

    vertebrae: RigidGroups
    centres_ct_mm: NDArray[np.float64]
    body: Body

    @classmethod
    def of(cls, case: Case) -> "Subject":
        """The subject of a case, its levels in the case's order."""
        return cls(
            RigidGroups([vertebra.gaussians for vertebra in case.levels.values()]),
            np.stack([vertebra.T_ct_vertebra[:3, 3] for vertebra in case.levels.values()]),
            Body(RayCastVolume.from_volume(Volume(linear_attenuation(case.body_hu.data), case.body_hu.T_ct_voxel))),
        )
