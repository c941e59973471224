"""X-ray pixels in sensor_msgs/Image and as arrays."""

import numpy as np
from numpy.typing import NDArray

from radgs_core.errors import InputError
from radgs_core.messages.factory import Message, MessageFactory
from radgs_core.messages.headers import check_header
from radgs_core.messages.received_image import ReceivedImage

PIXEL_TYPES = {"mono8": "u1", "8UC1": "u1", "mono16": "u2", "16UC1": "u2", "32FC1": "f4"}
"""Encodings that are read, with numpy's code of one pixel."""


def pixels_from_image(message: Message, topic: str) -> NDArray:
    """The pixels of an X-ray image, (height, width), uint8, uint16 or float32 as they came, in native byte order.

    Args:
        message: Image; mono8, 8UC1, mono16, 16UC1 or 32FC1; rows may be padded.
        topic: what an error calls the image.

    Raises:
        InputError: empty frame_id or stamp, another encoding, an empty or truncated image, a wrong step, pixels that
            are NaN or infinite.
    """
    check_header(message.header, topic)
    if message.encoding not in PIXEL_TYPES:
        raise InputError(
            f"{topic}: the encoding {message.encoding!r} is not an X-ray's; publish one of {', '.join(PIXEL_TYPES)}."
        )
    pixel_type = np.dtype(PIXEL_TYPES[message.encoding]).newbyteorder(">" if message.is_bigendian else "<")
    height, width, step = message.height, message.width, message.step
    if height == 0 or width == 0:
        raise InputError(f"{topic}: the image is empty ({width}x{height}); publish an image with pixels.")
    if step < width * pixel_type.itemsize:
        raise InputError(
            f"{topic}: step is {step} bytes, but a row of {width} {message.encoding} pixels takes"
            f" {width * pixel_type.itemsize}; correct the step."
        )
    if len(message.data) != step * height:
        raise InputError(
            f"{topic}: the image has {len(message.data)} bytes, but {height} rows of {step} bytes are"
            f" {step * height}; the data are truncated or the size is wrong."
        )
    rows = np.frombuffer(message.data, dtype=np.uint8).reshape(height, step)[:, : width * pixel_type.itemsize]
    pixels = np.ascontiguousarray(rows).view(pixel_type)
    if pixel_type.kind == "f" and not np.isfinite(pixels).all():
        raise InputError(f"{topic}: the image holds NaN or infinite pixels; publish finite intensities.")
    return pixels.astype(pixel_type.newbyteorder("="), copy=False)


def received_image(message: Message, topic: str) -> ReceivedImage:
    """The image with its pixels; arguments and errors of ``pixels_from_image``."""
    pixels = pixels_from_image(message, topic)
    height, width = pixels.shape
    return ReceivedImage(width, height, lambda: pixels)


def image_from_pixels(factory: MessageFactory, pixels: NDArray, encoding: str, header: Message) -> Message:
    """An image message of (height, width) or (height, width, channels) pixels that already have the encoding's type."""
    contiguous = np.ascontiguousarray(pixels)
    return factory.make(
        "sensor_msgs/msg/Image",
        header=header,
        height=pixels.shape[0],
        width=pixels.shape[1],
        encoding=encoding,
        is_bigendian=0,
        step=contiguous.nbytes // pixels.shape[0],
        data=contiguous.reshape(-1).view(np.uint8),
    )
