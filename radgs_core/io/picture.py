"""Pictures as bytes, from a file or a message."""

import struct
import zlib
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def decoded(content: bytes) -> NDArray | None:
    """The pixels as they are stored, (height, width) or (height, width, channels); None where OpenCV cannot read them.

    Of some damaged pictures it gives a part: see ``is_complete_png``.
    """
    log_level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # it would print what it finds wrong
    try:
        return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None
    finally:
        cv2.utils.logging.setLogLevel(log_level)


def png_of(pixels: NDArray) -> bytes:
    """(height, width) uint8 or uint16 pixels as PNG, which loses nothing."""
    return cv2.imencode(".png", pixels)[1].tobytes()


@dataclass(frozen=True)
class PngHeader:
    """What the first chunk of a PNG says (PNG, 11.2.2).

    Attributes:
        width, height: pixels.
        bits: of a sample.
        is_grey: one sample a pixel, without a palette.
    """

    width: int
    height: int
    bits: int
    is_grey: bool

    @classmethod
    def of(cls, content: bytes) -> "PngHeader":
        """Of a complete PNG."""
        width, height, bits, colour_type = struct.unpack_from(">IIBB", content, len(PNG_SIGNATURE) + 8)
        return cls(width, height, bits, colour_type == 0)


def is_complete_png(content: bytes) -> bool:
    """Whether all chunks are there and undamaged (PNG, 5.3): OpenCV's older releases fill up what is missing."""
    if not content.startswith(PNG_SIGNATURE):
        return False
    position = len(PNG_SIGNATURE)
    while position + 12 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, position)
        end = position + 8 + length
        if (
            end + 4 > len(content)
            or zlib.crc32(content[position + 4 : end]) != struct.unpack_from(">I", content, end)[0]
        ):
            return False
        if kind == b"IEND":
            return True
        position = end + 4
    return False
