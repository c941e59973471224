"""NIfTI volumes, placed in DICOM patient coordinates."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from nibabel.imageglobals import logger as nibabel_logger
from numpy.typing import NDArray

from radgs_core.errors import InputError
from radgs_core.io.parser_error import reason_of
from radgs_core.volume import Volume

SUFFIXES = (".nii", ".nii.gz")
_LPS_FROM_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
_MM_PER_UNIT = {"meter": 1000.0, "micron": 0.001}


def is_nifti_name(path: Path) -> bool:
    """Whether the file's name says NIfTI."""
    return path.name.lower().endswith(SUFFIXES)


def read_nifti(path: Path) -> Volume:
    """Read a 3-D NIfTI file.

    The placement is the sform or, where it has none, the qform, its world axes flipped from NIfTI's RAS to LPS.

    Args:
        path: a ``.nii`` or ``.nii.gz`` file.

    Returns:
        Volume with (I, J, K) data in the file's axis order: an integer type where the stored numbers are integers and a
        scaling, if any, keeps them so; otherwise float32.

    Raises:
        InputError: missing, truncated or damaged; not 3-D; not real numbers; NaN or infinite; no valid placement.
    """
    if not path.is_file():
        raise InputError(f"{path} does not exist or is not a file; give the path of a NIfTI file (.nii or .nii.gz).")
    try:
        with _quiet_nibabel():
            image = nibabel.load(path)
        if not isinstance(image, nibabel.Nifti1Image):  # NIfTI-2 is a subclass
            raise InputError(f"{path} is not a NIfTI file; convert it to .nii.gz.")
        proxy: Any = image.dataobj  # nibabel annotates it as any array
        raw, slope, intercept = np.asanyarray(proxy.get_unscaled()), float(proxy.slope), float(proxy.inter)
        T_ct_voxel = _placement(image, path)
    except InputError:
        raise
    except Exception as error:
        # on damaged files nibabel, zlib and gzip raise nearly any type: EOFError, OSError, zlib.error, ...
        raise InputError(
            f"{path} cannot be read as NIfTI ({reason_of(error)}); copy or export the file anew."
        ) from error
    if raw.ndim > 3 and all(n == 1 for n in raw.shape[3:]):
        raw = raw.reshape(raw.shape[:3])
    if raw.ndim != 3 or min(raw.shape) < 2:
        shape = " x ".join(str(n) for n in raw.shape)
        raise InputError(f"{path} must be a 3-D volume, but is {shape}; extract one volume from it.")
    if raw.dtype.kind not in "iuf":
        raise InputError(f"{path} holds {raw.dtype} values; convert it to a volume of real numbers.")
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows float32 is refused as infinite below
        data = _scaled(raw, slope, intercept)
    if data.dtype.kind == "f" and not all(np.isfinite(data[..., k]).all() for k in range(data.shape[2])):
        raise InputError(f"{path} holds NaN or infinite values; replace them (air is -1000) and save it again.")
    return Volume(data, T_ct_voxel)


@contextmanager
def _quiet_nibabel() -> Iterator[None]:
    """Keep nibabel from printing what it finds wrong in a header: the error or the result says enough."""
    level = nibabel_logger.level
    nibabel_logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        nibabel_logger.setLevel(level)


def _placement(image: nibabel.Nifti1Image, path: Path) -> NDArray[np.float64]:
    header = image.header
    if int(header["sform_code"]) == 0 and int(header["qform_code"]) == 0:
        raise InputError(
            f"{path} does not say how it lies in the patient (sform and qform are unset); export it with its"
            " orientation."
        )
    affine = np.array(image.affine, dtype=np.float64)
    affine[:3] *= _MM_PER_UNIT.get(header.get_xyzt_units()[0], 1.0)
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    # a determinant that is tiny beside the spacings means that axes (nearly) coincide
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) <= 0.01 * np.prod(spacing):
        raise InputError(f"{path} has a singular or invalid orientation matrix; export it with a valid sform.")
    return _LPS_FROM_RAS @ affine


def _scaled(raw: NDArray, slope: float, intercept: float) -> NDArray:
    """``slope * raw + intercept``, slice by slice to bound memory; integers stay integers where they can."""
    if slope == 1 and intercept == 0:
        if raw.dtype.kind == "f":
            return np.asfortranarray(raw, dtype=np.float32)
        return np.asfortranarray(raw, dtype=raw.dtype.newbyteorder("="))
    if raw.dtype.kind in "iu" and slope.is_integer() and intercept.is_integer():
        ends = [int(end) * int(slope) + int(intercept) for end in (raw.min(), raw.max())]
        dtype = np.result_type(np.min_scalar_type(min(ends)), np.min_scalar_type(max(ends)), np.int16)
        if dtype.kind == "i":
            scaled = np.empty(raw.shape, dtype, order="F")
            for k in range(raw.shape[2]):
                scaled[..., k] = raw[..., k].astype(np.int64) * int(slope) + int(intercept)
            return scaled
    scaled = np.empty(raw.shape, np.float32, order="F")
    for k in range(raw.shape[2]):
        scaled[..., k] = raw[..., k].astype(np.float64) * slope + intercept
    return scaled
