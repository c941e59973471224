"""CT volumes in Hounsfield units, from any supported format."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from radgs_core.errors import InputError
from radgs_core.io.dicom_series import read_dicom_series
from radgs_core.io.nifti import is_nifti_name, read_nifti
from radgs_core.volume import Volume


def read_ct(path: Path | str) -> Volume:
    """Read a CT.

    Args:
        path: folder of one DICOM series, or a NIfTI file (.nii, .nii.gz).

    Returns:
        Volume of Hounsfield units, int16 (clipped to its range) or float32, in the file's own axis order; its affine
        leads to LPS, mm, and need not be orthogonal (tilted gantry) nor right-handed (NIfTI).

    Raises:
        InputError: what is at ``path`` is missing, of another format, damaged or not one complete CT.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path} does not exist; give the folder of a DICOM series or a NIfTI file (.nii or .nii.gz).")
    if path.is_dir():
        return read_dicom_series(path)
    if is_nifti_name(path):
        volume = read_nifti(path)
        return Volume(_as_hounsfield(volume.data), volume.T_ct_voxel)
    raise InputError(
        f"{path} is neither a folder nor NIfTI; give the folder of a DICOM series or a .nii or .nii.gz file."
    )


def _as_hounsfield(data: NDArray) -> NDArray:
    if data.dtype == np.float32 or data.dtype == np.int16:
        return data
    limits = np.iinfo(np.int16)
    clipped = np.empty(data.shape, np.int16, order="F")
    for k in range(data.shape[2]):
        clipped[..., k] = np.clip(data[..., k].astype(np.int64), limits.min, limits.max)
    return clipped
