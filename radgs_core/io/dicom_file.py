"""One DICOM file: read it, or say in one sentence why not."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.pixels import get_decoder

from radgs_core.errors import InputError
from radgs_core.io.parser_error import reason_of


def is_dicom(path: Path) -> bool:
    """Whether the file has the DICOM File Format's prefix (PS3.10, 7.1): ``DICM`` after 128 bytes."""
    try:
        with path.open("rb") as file:
            return file.read(132)[128:] == b"DICM"
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); check the file and its permissions.") from error


@contextmanager
def damage_is_input_error(path: Path) -> Iterator[None]:
    """Turn whatever pydicom raises in the block into an InputError that names ``path``; its warnings are dropped.

    On damaged files pydicom and its codecs raise nearly any type: InvalidDicomError, EOFError, ValueError, KeyError,
    struct.error, RecursionError (nested sequences), ...; values are parsed when they are first touched, so
    this covers the use of a data set too.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except InputError:
        raise
    except Exception as error:
        raise InputError(
            f"{path} is no DICOM, damaged or truncated ({type(error).__name__}: {reason_of(error)}); export it anew."
        ) from error


def read_dicom(path: Path) -> pydicom.FileDataset:
    """Read a whole DICOM file.

    Raises:
        InputError: not a DICOM file, or damaged.
    """
    with damage_is_input_error(path):
        return pydicom.dcmread(path)


def read_dicom_header(path: Path) -> pydicom.FileDataset:
    """Read a DICOM file up to its pixels.

    Raises:
        InputError: not a DICOM file, or damaged.
    """
    with damage_is_input_error(path):
        return pydicom.dcmread(path, stop_before_pixels=True)


def decoded_pixels(dataset: pydicom.FileDataset, path: Path) -> NDArray:
    """The stored values of a single-frame greyscale image.

    Args:
        dataset: a whole file.
        path: its file, for error messages.

    Returns:
        (rows, columns) integers as stored, before any rescaling.

    Raises:
        InputError: several frames, colour, a compression without a codec here, truncated or damaged pixels.
    """
    with damage_is_input_error(path):
        if int(dataset.get("NumberOfFrames") or 1) != 1:
            raise InputError(f"{path} holds {dataset.NumberOfFrames} frames; export it as one file per image.")
        if dataset.get("SamplesPerPixel", 1) != 1:
            raise InputError(f"{path} is a colour image ({dataset.PhotometricInterpretation}); export it in greyscale.")
        _require_codec(dataset, path)
        pixels = dataset.pixel_array
        if pixels.shape != (dataset.Rows, dataset.Columns):
            raise InputError(f"{path} holds pixels of another size than its header says; export it anew.")
        return np.asarray(pixels)


def _require_codec(dataset: pydicom.FileDataset, path: Path) -> None:
    syntax = dataset.file_meta.TransferSyntaxUID
    try:
        available = get_decoder(syntax).is_available
    except NotImplementedError as error:
        raise InputError(
            f"{path} is compressed as {syntax.name}, which cannot be decoded; export it uncompressed."
        ) from error
    if not available:
        raise InputError(
            f"{path} is compressed as {syntax.name}, for which no codec is installed; run 'pip install python-gdcm' or"
            " export it uncompressed."
        )
