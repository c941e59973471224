"""X-ray images as pixels: PNG, TIFF, NumPy and DICOM files."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from radgs_core.errors import InputError
from radgs_core.geometry.camera import XrayCamera
from radgs_core.io.atomic import written_atomically
from radgs_core.io.dicom_file import is_dicom
from radgs_core.io.picture import decoded, is_complete_png
from radgs_core.io.xray_dicom import read_xray_dicom

_SMALLEST_16_BIT_RANGE = 50


def read_xray(path: Path | str, camera: XrayCamera) -> NDArray[np.float32]:
    """Read one X-ray image.

    Args:
        path: 8- or 16-bit greyscale PNG or TIFF, .npy of numbers, or a single-frame X-ray DICOM.
        camera: the view; its size must be the image's, and its ``intensity`` says which way DICOM grey values run.

    Returns:
        (height, width) float32, as stored (no scaling to a common range).

    Raises:
        InputError: missing, of another kind, truncated, colour, NaN or infinite, or of another size than the camera's.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path} does not exist or is not a file; give an X-ray image (PNG, TIFF, .npy or DICOM).")
    suffix = path.suffix.lower()
    if suffix in (".png", ".tif", ".tiff"):
        pixels = _read_grey_picture(path)
    elif suffix == ".npy":
        pixels = _read_npy(path)
    elif is_dicom(path):
        pixels = read_xray_dicom(path, camera.intensity)
    else:
        raise InputError(
            f"{path} is no X-ray image this program reads; convert it to 16-bit PNG or TIFF, .npy or DICOM."
        )
    if pixels.shape != (camera.height, camera.width):
        size = " x ".join(str(n) for n in reversed(pixels.shape))
        raise InputError(
            f"{path} is {size} pixels, but {camera.name} says {camera.width} x {camera.height}; give the image that"
            " belongs to this view or correct width, height and camera_matrix."
        )
    with np.errstate(over="ignore"):
        pixels = pixels.astype(np.float32)
    if not np.isfinite(pixels).all():
        bad = int((~np.isfinite(pixels)).sum())
        raise InputError(
            f"{path} holds {bad} NaN or infinite pixels; replace them by valid values, for example of neighbours."
        )
    return pixels


def write_xray(path: Path | str, pixels: NDArray) -> None:
    """Write one X-ray image so that ``read_xray`` gives the same numbers.

    Args:
        path: ``.npy`` (float32), or ``.png``, ``.tif``, ``.tiff`` (16 bit, rounded to whole numbers).
        pixels: (height, width), finite; for 16 bit between 0 and 65535.

    Raises:
        InputError: another suffix, values that do not fit the format, or a path that cannot be written.
    """
    path = Path(path)
    pixels = np.asarray(pixels)
    suffix = path.suffix.lower()
    if suffix not in (".npy", ".png", ".tif", ".tiff"):
        raise InputError(f"{path} must end in .npy, .png, .tif or .tiff; choose another name.")
    if pixels.ndim != 2 or not np.isfinite(pixels).all():
        raise InputError(
            f"the image for {path} is not two-dimensional or holds NaN or infinite pixels; mend it before writing."
        )
    if suffix == ".npy":
        with written_atomically(path) as temporary:
            np.save(temporary, pixels.astype(np.float32))
        return
    low, high = float(pixels.min()), float(pixels.max())
    whole = np.rint(pixels)
    # counts survive rounding; line integrals of 0 to 8 would be reduced to a few steps
    if low < 0 or high > 65535 or (high - low < _SMALLEST_16_BIT_RANGE and not np.array_equal(whole, pixels)):
        raise InputError(
            f"{path} cannot hold values from {low:.3g} to {high:.3g} as 16-bit numbers; write a .npy file instead."
        )
    with written_atomically(path) as temporary:
        if not cv2.imwrite(str(temporary), whole.astype(np.uint16)):
            raise OSError(None, "OpenCV could not write it")


def _read_grey_picture(path: Path) -> NDArray:
    content = _bytes_of(path)
    broken = f"{path} is truncated or damaged; copy or export it anew."
    if path.suffix.lower() == ".png" and not is_complete_png(content):
        raise InputError(broken)
    pixels = decoded(content)
    if pixels is None:
        raise InputError(broken)
    if pixels.ndim != 2:
        raise InputError(f"{path} is a colour image; save it as 8- or 16-bit greyscale.")
    if pixels.dtype not in (np.uint8, np.uint16):
        raise InputError(f"{path} holds {pixels.dtype} pixels; save it with 8 or 16 bits, or as .npy.")
    return pixels


def _read_npy(path: Path) -> NDArray:
    try:
        pixels = np.load(path, allow_pickle=False)
    except Exception as error:  # numpy raises OSError, ValueError, EOFError, SyntaxError, ... on damaged files
        raise InputError(
            f"{path} is truncated, damaged or no array of numbers; save it anew with numpy.save."
        ) from error
    if not isinstance(pixels, np.ndarray) or pixels.dtype.kind not in "iuf" or pixels.ndim != 2:
        raise InputError(f"{path} is not a two-dimensional array of real numbers; save one greyscale image as float32.")
    return pixels


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); check its permissions.") from error
