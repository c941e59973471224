"""Vertebrae as one binary mask each, as TotalSegmentator writes them."""

from pathlib import Path
from types import MappingProxyType

import numpy as np

from radgs_core.errors import InputError
from radgs_core.io.label_schemes import LEVELS, TOTALSEGMENTATOR
from radgs_core.io.labels import LabelMap, on_grid_of
from radgs_core.io.nifti import read_nifti
from radgs_core.volume import Volume

PREFIX, SUFFIX = "vertebrae_", ".nii.gz"


def read_mask_folder(folder: Path, ct: Volume) -> LabelMap:
    """Join ``vertebrae_<label>.nii.gz`` of a folder into a label map; other files there are left alone.

    Args:
        folder: masks on the CT's grid, also with other axis order or directions: 0 outside, another number inside.
        ct: the CT the masks were made on.

    Returns:
        The label map in TotalSegmentator's numbering; masks that are empty, which the program writes for what the CT
        does not show, are left out. Where masks overlap, the lower vertebra is taken.

    Raises:
        InputError: no mask, none that is not empty, one that is unreadable, on another grid or not binary.
    """
    joined = np.zeros(ct.data.shape, np.uint8, order="F")
    present = {}
    for level in LEVELS:
        path = folder / f"{PREFIX}{level}{SUFFIX}"
        value = TOTALSEGMENTATOR.value_of_level.get(level)
        if value is None or not path.is_file():
            continue
        stored = read_nifti(path)
        inside = stored.data != 0
        if not inside.any():
            continue
        if np.ptp(stored.data[inside]) != 0:
            raise InputError(f"{path} is no binary mask (it holds several values); give one mask for each vertebra.")
        joined[on_grid_of(ct, Volume(inside, stored.T_ct_voxel), path).data] = value
        present[level] = value
    if not present:
        raise InputError(
            f"{folder} shows no vertebra (looked for masks {PREFIX}C1{SUFFIX} to {PREFIX}S1{SUFFIX} that are not"
            " empty); leave this patient out."
        )
    return LabelMap(Volume(joined, ct.T_ct_voxel), MappingProxyType(present), TOTALSEGMENTATOR.name)
