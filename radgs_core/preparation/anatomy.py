"""Cut a vertebra out of the CT and fill the hole with the soft tissue around it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from radgs_core.errors import InputError
from radgs_core.volume import Volume

SOFT_TISSUE_HU = (-150.0, 200.0)
"""Fat to contrast-enhanced muscle: lung and air below, bone and contrast-filled vessels above do not fill a hole."""

RIM_MM = 1.0
"""How far outside its mask a vertebra may still brighten voxels (at least one voxel: partial volume, blur)."""

RIM_EXCESS_HU = 60.0
"""How much brighter than the fill a voxel of the rim must be to count as bone."""

MARGIN_MM = 20.0
"""Surroundings that a crop adds to the mask, mm: what the fill is made of."""

FILL_SIGMAS_MM = ((4.0, 1.0), (12.0, 1e-3))
"""Widths and weights of the Gaussians that spread soft tissue: a narrow one, and a faint wide one for the inside of a
vertebral body."""

Box = tuple[slice, slice, slice]


@dataclass(frozen=True)
class Cut:
    """One vertebra cut out of the CT.

    Attributes:
        box: where its crop lies in the CT, index ranges of i, j, k.
        region: (i, j, k) bool, the crop's voxels that belong to the vertebra: its mask and a rim of partial volume.
        fill_hu: (n,) int16, what replaces the voxels of ``region``, in their order.
    """

    box: Box
    region: NDArray[np.bool_]
    fill_hu: NDArray[np.int16]


def crop_box(mask_box: Box, ct: Volume, level: str) -> Box:
    """Index ranges of a crop: those of a mask and ``MARGIN_MM`` around it, within the CT.

    Raises:
        InputError: the mask touches the border of the CT, so part of the vertebra is missing.
    """
    for axis_range, size in zip(mask_box, ct.data.shape, strict=True):
        if axis_range.start == 0 or axis_range.stop == size:
            raise InputError(
                f"{level} is cut off at the border of the CT; choose levels that lie inside it completely."
            )
    margins = np.ceil(MARGIN_MM / ct.spacing_mm).astype(int)
    box = [
        slice(max(0, r.start - m), min(size, r.stop + m))
        for r, m, size in zip(mask_box, margins, ct.data.shape, strict=True)
    ]
    return box[0], box[1], box[2]


def cut_out(ct: Volume, box: Box, mask: NDArray[np.bool_], any_vertebra: NDArray[np.bool_]) -> Cut:
    """Find what belongs to one vertebra and what should take its place.

    The fill is a normalised convolution: the Gaussian mean of the soft tissue outside all vertebrae.

    Args:
        ct: Hounsfield units.
        box: the crop to work in, from ``crop_box``.
        mask: (i, j, k) the vertebra's mask on the crop.
        any_vertebra: (i, j, k) masks of all vertebrae of the label map, prepared or not, on the crop.
    """
    hu = ct.data[box].astype(np.float32)
    spacing = ct.spacing_mm
    rim_voxels = np.maximum(1.0, RIM_MM / spacing)
    # distances in units of the rim, so that the rim is one voxel thick where voxels are large
    near_any = ndimage.distance_transform_edt(~any_vertebra, sampling=1 / rim_voxels) <= 1.0
    soft = (hu > SOFT_TISSUE_HU[0]) & (hu < SOFT_TISSUE_HU[1]) & ~near_any
    weight, total = np.zeros_like(hu), np.zeros_like(hu)
    for sigma_mm, share in FILL_SIGMAS_MM:
        sigma = sigma_mm / spacing
        weight += share * ndimage.gaussian_filter(soft.astype(np.float32), sigma, mode="constant", truncate=6.0)
        total += share * ndimage.gaussian_filter(np.where(soft, hu, 0), sigma, mode="constant", truncate=6.0)
    filled = np.where(weight > 1e-12, total / np.maximum(weight, 1e-12), 0.0)

    near_own = ndimage.distance_transform_edt(~mask, sampling=1 / rim_voxels) <= 1.0
    region = mask | (near_own & ~any_vertebra & (hu > filled + RIM_EXCESS_HU))
    return Cut(box, region, np.round(filled[region]).astype(np.int16))
