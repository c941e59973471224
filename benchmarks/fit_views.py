"""How well fitted Gaussians look like the vertebra: their X-rays against ray casting, in views the fit does not use."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

from radgs_core.geometry.camera import XrayCamera
from radgs_core.radgs.fitting.voxel_target import cut_to_object
from radgs_core.radgs.gaussians import RadiativeGaussians
from radgs_core.radgs.rasterizer import rasterize
from radgs_core.volume import Volume
from radgs_core.xray.carm import R_CARM_CT, CArm
from radgs_core.xray.raycast import RayCastVolume

VIEWS_DEG = {"ap": (0, 0), "lateral": (90, 0), "oblique": (45, 0), "other oblique": (-45, 0), "tilted": (20, 30)}
"""Orbital and angular: at least 13 degrees from the views of the fit and their reverses."""
STEP_MM = 0.35
"""Between samples of the ray casting: half a voxel."""
FOOTPRINT_SHARE = 0.02
"""Of the largest line integral: pixels above it belong to the footprint."""
FOOTPRINT_MARGIN_MM = 3.0
"""By how much the footprint is widened, at the isocentre."""


@dataclass(frozen=True)
class Likeness:
    """Of one image to that of ray casting; decibels refer to the largest line integral of the ray-cast image.

    Attributes:
        psnr_db: over the footprint: without the empty surroundings, which anything gets right.
        whole_psnr_db: over all 512 x 512 pixels.
        bias: mean difference over the footprint, as a share of the mean.
    """

    psnr_db: float
    whole_psnr_db: float
    bias: float


@dataclass(frozen=True)
class VertebraViews:
    """A vertebra at the isocentre of a C-arm.

    Attributes:
        T_reference_ct: (4, 4), mm.
        images: (height, width) ray-cast line integrals, one a view of `VIEWS_DEG`.
    """

    T_reference_ct: NDArray[np.float64]
    images: Sequence[torch.Tensor]

    @classmethod
    def of(cls, excess: Volume) -> "VertebraViews":
        """Ray cast a vertebra's excess attenuation."""
        cut = cut_to_object(excess)
        T_reference_ct = np.eye(4)
        T_reference_ct[:3, :3] = R_CARM_CT
        T_reference_ct[:3, 3] = -R_CARM_CT @ cut.points_mm((np.array(cut.data.shape) - 1) / 2)
        volume = RayCastVolume.from_volume(cut)
        return cls(T_reference_ct, [volume.line_integral(view, T_reference_ct, STEP_MM) for view in _cameras()])

    def likeness(self, gaussians: RadiativeGaussians) -> list[Likeness]:
        """Of Gaussians, one a view of `VIEWS_DEG`."""
        drawn = rasterize(gaussians, _cameras(), torch.tensor(self.T_reference_ct)[None])
        return [_likeness(image.numpy(), exact.numpy()) for image, exact in zip(drawn, self.images, strict=True)]


def _cameras() -> list[XrayCamera]:
    return [CArm().camera(*angles, name=name) for name, angles in VIEWS_DEG.items()]


def _likeness(image: NDArray[np.float32], exact: NDArray[np.float32]) -> Likeness:
    carm, peak = CArm(), float(exact.max())
    pixel_mm = carm.pixel_mm * carm.source_to_isocentre_mm / carm.source_to_detector_mm
    outside_mm = pixel_mm * ndimage.distance_transform_edt(exact <= FOOTPRINT_SHARE * peak)
    footprint = outside_mm <= FOOTPRINT_MARGIN_MM
    error = (image - exact).astype(np.float64)
    return Likeness(
        psnr_db=_psnr_db(error[footprint], peak),
        whole_psnr_db=_psnr_db(error, peak),
        bias=float(error[footprint].mean() / exact[footprint].mean()),
    )


def _psnr_db(error: NDArray[np.float64], peak: float) -> float:
    return float(20 * np.log10(peak / np.sqrt(np.mean(error**2))))
