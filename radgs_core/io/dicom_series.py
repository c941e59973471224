"""A CT as a scanner exports it: one DICOM file per slice, one folder per series."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom import FileDataset
from pydicom.uid import CTImageStorage, EnhancedCTImageStorage, LegacyConvertedEnhancedCTImageStorage

from radgs_core.errors import InputError
from radgs_core.io.dicom_file import damage_is_input_error, decoded_pixels, is_dicom, read_dicom, read_dicom_header
from radgs_core.volume import Volume

SAME_POSITION_MM = 0.01
GRID_TOLERANCE_MM = 0.2
"""How far a slice may lie from the even grid: scanners round positions; unevenly spaced series are off by far more."""
DIRECTION_TOLERANCE = 1e-3
_CT_STORAGE = (CTImageStorage, EnhancedCTImageStorage, LegacyConvertedEnhancedCTImageStorage)
_DICOM_SUFFIXES = (".dcm", ".dicom", ".ima")
_ONE_FOLDER = "put each series into a folder of its own and choose one"


@dataclass(frozen=True)
class _Slice:
    """Header of one axial image; lengths in mm, directions in DICOM patient coordinates (LPS)."""

    path: Path
    series: str
    description: str
    position: NDArray[np.float64]  # (3,) centre of the first pixel
    row_direction: NDArray[np.float64]  # (3,) unit vector along a row: the column index grows
    column_direction: NDArray[np.float64]  # (3,) unit vector along a column: the row index grows
    row_spacing: float  # between rows
    column_spacing: float  # between columns
    shape: tuple[int, int]  # rows, columns
    slope: float
    intercept: float


def read_dicom_series(folder: Path) -> Volume:
    """Read the one CT series in ``folder``, in its true patient geometry.

    Files that are not DICOM, scout views and DICOM objects that are not CT images (DICOMDIR, reports, structure sets)
    are passed over; subfolders are not entered. A tilted gantry makes the grid oblique (sheared), as the affine says.

    Args:
        folder: holds the files of one series.

    Returns:
        Volume of Hounsfield units, axes: column index, row index, slice along the normal of the slices. int16 where
        the rescale slope and intercept are whole numbers, otherwise float32.

    Raises:
        InputError: no CT slices; several series; missing, repeated, uneven or differing slices; an unreadable file.
    """
    slices = _stack(_slices_in(folder), folder)
    T_ct_voxel = _grid(slices, folder)
    whole = all(s.slope.is_integer() and s.intercept.is_integer() for s in slices)
    data = np.empty((len(slices), *slices[0].shape), np.int16 if whole else np.float32)
    for k, s in enumerate(slices):
        pixels = decoded_pixels(read_dicom(s.path), s.path)
        if pixels.shape != s.shape:
            raise InputError(f"{s.path} changed while it was read; try again.")
        if whole:
            limits = np.iinfo(np.int16)
            data[k] = np.clip(pixels.astype(np.int64) * int(s.slope) + int(s.intercept), limits.min, limits.max)
        else:
            data[k] = pixels * s.slope + s.intercept
    return Volume(data.transpose(2, 1, 0), T_ct_voxel)


def _slices_in(folder: Path) -> list[_Slice]:
    if not folder.is_dir():
        raise InputError(f"{folder} does not exist or is not a folder; give the folder of a DICOM series.")
    try:
        files = sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith("."))
        has_subfolders = any(p.is_dir() for p in folder.iterdir())
    except OSError as error:
        raise InputError(f"{folder} cannot be read ({error.strerror}); check its permissions.") from error
    slices, other_modalities = [], set()
    for path in files:
        if not is_dicom(path):
            if path.suffix.lower() in _DICOM_SUFFIXES:
                raise InputError(
                    f"{path} is named like DICOM but is not, or its start is damaged; export the series anew."
                )
            continue
        header = read_dicom_header(path)
        with damage_is_input_error(path):
            if not header.file_meta.get("TransferSyntaxUID"):
                raise InputError(
                    f"{path} is a DICOM file whose start is incomplete; it is truncated, so export it anew."
                )
            if not _is_ct_image(header):
                if "Rows" in header:
                    other_modalities.add(str(header.get("Modality")))
            elif "LOCALIZER" not in (header.get("ImageType") or ()):
                slices.append(_slice(path, header))
    if not slices:
        if other_modalities:
            raise InputError(
                f"{folder} holds {', '.join(sorted(other_modalities))} images but no CT; choose the folder of the CT."
            )
        if has_subfolders:
            raise InputError(
                f"{folder} holds no CT slices itself; choose the one of its subfolders that holds the CT series."
            )
        raise InputError(f"{folder} holds no CT slices; give the folder with the DICOM files of one CT series.")
    return slices


def _is_ct_image(header: FileDataset) -> bool:
    if header.get("Modality"):
        is_image = "Rows" in header or header.file_meta.get("MediaStorageSOPClassUID") in _CT_STORAGE
        return bool(header.Modality == "CT") and is_image
    # a slice that is cut off here must not pass for something else and go missing: the file's prefix tells what it is
    return header.file_meta.get("MediaStorageSOPClassUID") in _CT_STORAGE or "Rows" in header


def _slice(path: Path, header: FileDataset) -> _Slice:
    if "Rows" not in header or "Columns" not in header:
        raise InputError(f"{path} is a CT image whose header is incomplete; it is truncated, so export it anew.")
    if int(header.get("NumberOfFrames") or 1) > 1:
        raise InputError(
            f"{path} is an enhanced (multi-frame) CT; export it as one file per slice or convert it to NIfTI."
        )
    orientation = _numbers(header, "ImageOrientationPatient", 6, path)
    position = _numbers(header, "ImagePositionPatient", 3, path)
    row_spacing, column_spacing = _numbers(header, "PixelSpacing", 2, path)
    row, column = orientation[:3], orientation[3:]
    if not np.allclose([row @ row, column @ column, row @ column], [1, 1, 0], atol=DIRECTION_TOLERANCE):
        raise InputError(
            f"{path} has an ImageOrientationPatient that is not two perpendicular unit vectors; export it anew."
        )
    if min(row_spacing, column_spacing) <= 0:
        raise InputError(f"{path} has a PixelSpacing that is not positive; export it anew.")
    description = str(header.get("SeriesDescription") or "no description")
    return _Slice(
        path,
        str(header.get("SeriesInstanceUID") or f"series number {header.get('SeriesNumber')}, {description}"),
        description,
        position,
        row,
        column,
        row_spacing,
        column_spacing,
        (int(header.Rows), int(header.Columns)),
        *(_rescale(header, path)),
    )


def _rescale(header: FileDataset, path: Path) -> tuple[float, float]:
    slope = _numbers(header, "RescaleSlope", 1, path)[0] if header.get("RescaleSlope") is not None else 1.0
    intercept = _numbers(header, "RescaleIntercept", 1, path)[0] if header.get("RescaleIntercept") is not None else 0.0
    if slope == 0:
        raise InputError(f"{path} has a RescaleSlope of 0; export it anew.")
    return float(slope), float(intercept)


def _numbers(header: FileDataset, keyword: str, count: int, path: Path) -> NDArray[np.float64]:
    value = header.get(keyword)
    if value is None or value == "":
        raise InputError(
            f"{path} is a CT image without {keyword}; export the original series from the scanner or archive."
        )
    numbers = np.atleast_1d(np.array(value, dtype=np.float64))
    if numbers.shape != (count,) or not np.isfinite(numbers).all():
        raise InputError(f"{path} has a {keyword} that is not {count} finite number(s); export it anew.")
    return numbers


def _stack(slices: Sequence[_Slice], folder: Path) -> list[_Slice]:
    """The slices of one series, sorted along their common normal."""
    descriptions = {s.series: s.description for s in slices}
    if len(descriptions) > 1:
        found = "; ".join(f"'{text}' ({uid})" for uid, text in sorted(descriptions.items())[:4])
        raise InputError(f"{folder} mixes {len(descriptions)} series, {found}; {_ONE_FOLDER}.")
    first = slices[0]
    if len(slices) < 2:
        raise InputError(f"{folder} holds a single CT slice, {first.path.name}; export the whole series.")
    for s in slices:
        if s.shape != first.shape or not np.allclose(
            [s.row_spacing, s.column_spacing], [first.row_spacing, first.column_spacing], rtol=1e-3
        ):
            raise InputError(
                f"{folder} holds slices of different size or pixel spacing, {first.path.name} and {s.path.name};"
                f" {_ONE_FOLDER}."
            )
        turned = np.abs([s.row_direction - first.row_direction, s.column_direction - first.column_direction]).max()
        if turned > DIRECTION_TOLERANCE:
            raise InputError(
                f"{folder} holds slices of different orientation, {first.path.name} and {s.path.name}; {_ONE_FOLDER}."
            )
    normal = np.cross(first.row_direction, first.column_direction)
    return sorted(slices, key=lambda s: float(s.position @ normal))


def _grid(slices: Sequence[_Slice], folder: Path) -> NDArray[np.float64]:
    """(4, 4) ``T_ct_voxel`` of sorted slices (PS3.3, C.7.6.2.1.1), after checking that they are evenly spaced."""
    first = slices[0]
    normal = np.cross(first.row_direction, first.column_direction)
    positions = np.array([s.position for s in slices])
    distances = np.diff(positions @ normal)
    closest = int(distances.argmin())
    if distances[closest] < SAME_POSITION_MM:
        raise InputError(
            f"{folder} holds two slices at the same position, {slices[closest].path.name} and"
            f" {slices[closest + 1].path.name}; it mixes series or phases or holds copies: {_ONE_FOLDER}."
        )
    widest = int(distances.argmax())
    if distances[widest] > 1.5 * distances[closest]:
        raise InputError(
            f"{folder} has a gap of {distances[widest]:.2f} mm between {slices[widest].path.name} and"
            f" {slices[widest + 1].path.name} where other slices are {distances[closest]:.2f} mm apart; slices are"
            " missing: export the complete series."
        )
    step = (positions[-1] - positions[0]) / (len(slices) - 1)
    off_grid = np.linalg.norm(positions - positions[0] - np.arange(len(slices))[:, None] * step, axis=1)
    if off_grid.max() > GRID_TOLERANCE_MM:
        raise InputError(
            f"{folder} has unevenly spaced slices ({slices[int(off_grid.argmax())].path.name} is"
            f" {off_grid.max():.2f} mm off); export a series with constant spacing."
        )
    T_ct_voxel = np.eye(4)
    T_ct_voxel[:3, 0] = first.row_direction * first.column_spacing
    T_ct_voxel[:3, 1] = first.column_direction * first.row_spacing
    T_ct_voxel[:3, 2] = step
    T_ct_voxel[:3, 3] = first.position
    return T_ct_voxel
