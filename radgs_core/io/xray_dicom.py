"""X-ray images in DICOM files, with the grey values running the way the view says."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.pixels import apply_modality_lut

from radgs_core.errors import InputError
from radgs_core.geometry.camera import Intensity
from radgs_core.io.dicom_file import damage_is_input_error, decoded_pixels, read_dicom


def read_xray_dicom(path: Path, intensity: Intensity) -> NDArray[np.float64]:
    """Read a single-frame X-ray (DX, CR, XA, RF, ...).

    Rescale slope and intercept, or the modality LUT, are applied. Where the file says which way its values run (Pixel
    Intensity Relationship Sign, PS3.3 C.8.11.3), they are turned to what ``intensity`` means; otherwise ``intensity``
    describes the image as a viewer shows it, and MONOCHROME1 values, shown dark for high, are turned.

    Args:
        path: DICOM file.
        intensity: of the view: ``transmission`` (air bright) or ``attenuation`` (bone bright).

    Returns:
        (rows, columns).

    Raises:
        InputError: unreadable, several frames or colour.
    """
    dataset = read_dicom(path)
    if "PixelData" not in dataset:
        raise InputError(f"{path} holds no image; give an X-ray image (PNG, TIFF, .npy or DICOM).")
    stored = decoded_pixels(dataset, path)
    with damage_is_input_error(path):
        values = np.asarray(apply_modality_lut(stored, dataset), dtype=np.float64)
        if not _is_inverted(dataset, intensity):
            return values
        bits = int(dataset.BitsStored)
        ends = np.array([-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] if dataset.PixelRepresentation else [0, 2**bits - 1])
        return np.asarray(apply_modality_lut(ends.astype(stored.dtype), dataset), dtype=np.float64).sum() - values


def _is_inverted(dataset: Dataset, intensity: Intensity) -> bool:
    sign = dataset.get("PixelIntensityRelationshipSign")
    if sign in (1, -1):  # 1: high values mean much radiation
        return (sign == 1) != (intensity == "transmission")
    return dataset.get("PhotometricInterpretation") == "MONOCHROME1"
