"""Small CT series, written as a scanner writes them."""

from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

AXIAL = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))


def ct_slice(
    stored: np.ndarray,
    position: np.ndarray,
    directions: tuple = AXIAL,
    spacing: tuple[float, float] = (0.8, 0.5),
    series: str = "1.2.3",
) -> FileDataset:
    """One CT image.

    Args:
        stored: (rows, columns) uint16 or int16.
        position: centre of the first pixel, LPS, mm.
        directions: along a row, along a column.
        spacing: between rows, between columns, mm.
        series: UID.
    """
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID = CTImageStorage
    ds.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    ds.Modality = "CT"
    ds.SeriesInstanceUID = series
    ds.SeriesDescription = f"Series {series}"
    ds.ImagePositionPatient = [float(x) for x in np.round(position, 6)]
    ds.ImageOrientationPatient = [float(f"{x:.10f}") for direction in directions for x in direction]
    ds.PixelSpacing = list(spacing)
    ds.Rows, ds.Columns = stored.shape
    ds.SamplesPerPixel = 1
    ds.PhotometricInterpretation = "MONOCHROME2"
    ds.BitsAllocated = ds.BitsStored = 16
    ds.HighBit = 15
    ds.PixelRepresentation = int(stored.dtype.kind == "i")
    ds.RescaleSlope = 1
    ds.RescaleIntercept = -1024
    ds.PixelData = stored.tobytes()
    return ds


def ct_stack(count: int = 5, step: tuple = (0.0, 0.0, 2.0), **options) -> list[FileDataset]:
    """Images ``step`` mm apart; the stored value of a pixel is 1000 * slice + 50 * row + column."""
    rows, columns = np.mgrid[:6, :9]
    origin = np.array([-30.0, 40.0, -500.0])
    return [
        ct_slice((1000 * k + 50 * rows + columns).astype(np.uint16), origin + k * np.array(step), **options)
        for k in range(count)
    ]


def save_all(folder: Path, datasets: list[FileDataset], prefix: str = "slice") -> list[Path]:
    """Write the images into ``folder``, with names in another order than they lie in the patient."""
    folder.mkdir(exist_ok=True)
    paths = []
    for k, ds in enumerate(datasets):
        path = folder / f"{prefix}{(k * 7 + 3) % 101:03d}"
        pydicom.dcmwrite(path, ds, enforce_file_format=True)
        paths.append(path)
    return paths
