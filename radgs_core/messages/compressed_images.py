"""X-ray pixels in sensor_msgs/CompressedImage."""

from functools import partial

import numpy as np
from numpy.typing import NDArray

from radgs_core.errors import InputError
from radgs_core.io.picture import PngHeader, decoded, is_complete_png, png_of
from radgs_core.messages.factory import Message, MessageFactory
from radgs_core.messages.headers import check_header
from radgs_core.messages.images import PIXEL_TYPES
from radgs_core.messages.received_image import ReceivedImage
from radgs_core.messages.topics import COMPRESSED_IMAGE

_CODECS = ("png", "png compressed")


def image_from_compressed(message: Message, topic: str) -> ReceivedImage:
    """A compressed X-ray image of uint8 or uint16, to be decoded when its pixels are needed.

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
    if not is_complete_png(content):
        raise _damaged(content, topic)
    header = PngHeader.of(content)
    if not header.is_grey or header.bits < 8:
        raise InputError(f"{topic}: the PNG is in colour or has fewer than 8 bits; publish 8- or 16-bit greyscale.")
    if encoding and header.bits != 8 * np.dtype(pixel_type).itemsize:
        raise InputError(
            f"{topic}: the PNG has {header.bits} bits a pixel, but the format says {encoding}; correct one."
        )
    return ReceivedImage(header.width, header.height, partial(_pixels, content, topic))


def compressed_from_pixels(factory: MessageFactory, pixels: NDArray, encoding: str, header: Message) -> Message:
    """A compressed image message of (height, width) uint8 or uint16 pixels that already have the encoding's type.

    It is PNG, as image_transport's plugin "compressed" sends it, with the space at the end of the format.
    """
    data = np.frombuffer(png_of(pixels), dtype=np.uint8)
    return factory.make(COMPRESSED_IMAGE, header=header, format=f"{encoding}; png compressed ", data=data)


def _pixels(content: bytes, topic: str) -> NDArray:
    pixels = decoded(content)
    if pixels is None:
        raise _damaged(content, topic)
    return pixels


def _damaged(content: bytes, topic: str) -> InputError:
    return InputError(f"{topic}: the {len(content)} bytes are no PNG, or a truncated or damaged one; send all of it.")


def _format(text: str) -> tuple[str, str]:
    """Encoding, empty where it is not named, and codec."""
    encoding, separator, codec = text.partition(";")
    return (encoding.strip(), codec.strip()) if separator else ("", encoding.strip())
