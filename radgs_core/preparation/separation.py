"""A CT taken apart: the body without some vertebrae, and each of these vertebrae."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from radgs_core.preparation.anatomy import Box, crop_box, cut_out
from radgs_core.volume import Volume
from radgs_core.xray.attenuation import excess_attenuation

if TYPE_CHECKING:
    from radgs_core.io.labels import LabelMap


@dataclass(frozen=True)
class LevelCrop:
    """One vertebra and its surroundings, on the CT's grid.

    Attributes:
        mask: (I, J, K) bool, the voxels that carry its label.
        bone_hu: the CT where the vertebra is, ``fill_hu`` elsewhere, int16 Hounsfield units.
        fill_hu: the same crop with the vertebra replaced by surrounding soft tissue, int16 Hounsfield units.
    """

    mask: NDArray[np.bool_]
    bone_hu: Volume
    fill_hu: Volume

    @property
    def excess(self) -> Volume:
        """What the vertebra attenuates more than its fill, 1/mm: zero outside of it."""
        return Volume(excess_attenuation(self.bone_hu.data, self.fill_hu.data), self.bone_hu.T_ct_voxel)


@dataclass(frozen=True)
class SeparatedSpine:
    """Attributes:
    body_hu: the CT with the vertebrae cut out and filled with surrounding soft tissue, int16 Hounsfield units.
    crops: the vertebrae by level.
    """

    body_hu: Volume
    crops: Mapping[str, LevelCrop]


def separate(ct: Volume, labels: "LabelMap", levels: Sequence[str]) -> SeparatedSpine:
    """Cut levels out of a CT.

    Args:
        ct: Hounsfield units, any spacing and axis order.
        labels: label map on the CT's grid.
        levels: which vertebrae, each once, all of them in the label map.

    Raises:
        InputError: a level is cut off at the border of the CT.
    """
    label_data = labels.volume.data
    boxes = ndimage.find_objects(label_data)
    any_vertebra = np.isin(label_data, list(labels.value_of_level.values()))
    body = np.clip(np.round(ct.data), -1024, np.iinfo(np.int16).max).astype(np.int16)
    ct = Volume(body.copy(), ct.T_ct_voxel)

    cuts = {}
    for level in levels:
        value = labels.value_of_level[level]
        box = crop_box(boxes[value - 1], ct, level)
        cut = cut_out(ct, box, label_data[box] == value, any_vertebra[box])
        any_vertebra[box] |= cut.region  # a voxel of the rim belongs to one level only
        body[box][cut.region] = cut.fill_hu
        cuts[level] = cut

    crops = {}
    for level, cut in cuts.items():
        fill = body[cut.box].copy()
        bone = np.where(cut.region, ct.data[cut.box], fill)
        mask = label_data[cut.box] == labels.value_of_level[level]
        T_ct_voxel = _placed(ct, cut.box)
        crops[level] = LevelCrop(mask, Volume(bone, T_ct_voxel), Volume(fill, T_ct_voxel))
    return SeparatedSpine(Volume(body, ct.T_ct_voxel), crops)


def _placed(ct: Volume, box: Box) -> NDArray[np.float64]:
    """Affine of a crop's own voxel indices into CT coordinates."""
    T_ct_voxel = ct.T_ct_voxel.copy()
    T_ct_voxel[:3, 3] = ct.points_mm(np.array([r.start for r in box]))
    return T_ct_voxel
