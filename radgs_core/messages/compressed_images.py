"""X-ray pixels in sensor_msgs/CompressedImage."""

import numpy as np
from numpy.typing import NDArray

from radgs_core.errors import InputError
from radgs_core.io.picture import decoded, is_complete_png, png_of
from radgs_core.messages.factory import Message, MessageFactory
from radgs_core.messages.headers import check_header
from radgs_core.messages.images import PIXEL_TYPES
from radgs_core.messages.topics import COMPRESSED_IMAGE

_CODECS = ("png", "png compressed")


def pixels_from_compressed(message: Message, topic: str) -> NDArray:
    """The pixels of a compressed X-ray image, (height, width), uint8 or uint16.

    Args:
        message: CompressedImage with a PNG of 8 or 16 bits; ``format`` as image_transport's plugin "compressed" writes
            it (``mono16; png compressed``), or ``png`` alone.
        topic: what an error calls the image.

    Raises:
        InputError: empty frame_id or stamp, another format, a damaged PNG, colour, or other bits than the format says.
    """
    check_header(message.header, topic)
    encoding, codec = _format(message.format)
    if codec not in _CODECS:
        raise InputError(
            f"{topic}: the format {message.format!r} is not read; publish PNG, which loses nothing, with the format"
            " 'mono16; png compressed' or 'png'."
        )
    pixel_type = PIXEL_TYPES.get(encoding, "") if encoding else "u"
    if not pixel_type.startswith("u"):
        raise InputError(
            f"{topic}: the encoding {encoding!r} is not that of an X-ray as PNG; publish one of"
            f" {', '.join(name for name, code in PIXEL_TYPES.items() if code.startswith('u'))}."
        )
    content = bytes(message.data)
    pixels = decoded(content) if is_complete_png(content) else None
    if pixels is None:
        raise InputError(
            f"{topic}: the {len(content)} bytes are no PNG, or a truncated or damaged one; send all of it."
        )
    if pixels.ndim != 2:
        raise InputError(f"{topic}: the PNG is in colour; publish 8- or 16-bit greyscale.")
    if encoding and pixels.dtype != np.dtype(pixel_type):
        raise InputError(
            f"{topic}: the PNG has {8 * pixels.itemsize} bits a pixel, but the format says {encoding}; correct one."
        )
    return pixels


def compressed_from_pixels(factory: MessageFactory, pixels: NDArray, encoding: str, header: Message) -> Message:
    """A compressed image message of (height, width) uint8 or uint16 pixels that already have the encoding's type.

    It is PNG, as image_transport's plugin "compressed" sends it, with the space at the end of the format.
    """
    data = np.frombuffer(png_of(pixels), dtype=np.uint8)
    return factory.make(COMPRESSED_IMAGE, header=header, format=f"{encoding}; png compressed ", data=data)


def _format(text: str) -> tuple[str, str]:
    """Encoding, empty where it is not named, and codec."""
    encoding, separator, codec = text.partition(";")
    return (encoding.strip(), codec.strip()) if separator else ("", encoding.strip())
