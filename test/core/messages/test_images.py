import array

import numpy as np
import pytest

from radgs_core.messages.headers import header_of
from radgs_core.messages.images import image_from_pixels, pixels_from_image
from radgs_core.messages.recorded_messages import RecordedMessages

MESSAGES = RecordedMessages()
HEADER = header_of(MESSAGES, 5_000_000_000, "ap_optical")


@pytest.mark.parametrize(
    ("encoding", "pixel_type"),
    [("mono8", np.uint8), ("8UC1", np.uint8), ("mono16", np.uint16), ("16UC1", np.uint16), ("32FC1", np.float32)],
)
def test_pixels_round_trip(encoding, pixel_type):
    pixels = np.arange(35).reshape(5, 7).astype(pixel_type)
    message = image_from_pixels(MESSAGES, pixels, encoding, HEADER)
    assert (message.height, message.width, message.step) == (5, 7, 7 * pixels.itemsize)
    read = pixels_from_image(message, "ap/image")
    assert read.dtype == pixel_type
    np.testing.assert_array_equal(read, pixels)


def test_padded_rows_are_read():
    pixels = np.arange(12, dtype=np.uint16).reshape(3, 4)
    padded = np.pad(pixels, ((0, 0), (0, 2)), constant_values=999)
    message = image_from_pixels(MESSAGES, padded, "mono16", HEADER)
    message.width = 4
    np.testing.assert_array_equal(pixels_from_image(message, "ap/image"), pixels)


def test_an_odd_padding_is_read():
    data = array.array("B", [1, 0, 2, 0, 99, 3, 0, 4, 1, 99])
    fields = {"header": HEADER, "height": 2, "width": 2, "encoding": "mono16", "step": 5, "data": data}
    message = MESSAGES.make("sensor_msgs/msg/Image", **fields)
    np.testing.assert_array_equal(pixels_from_image(message, "ap/image"), [[1, 2], [3, 260]])


def test_big_endian_pixels_are_read():
    pixels = np.array([[1, 256], [515, 40000]], dtype=np.uint16)
    message = image_from_pixels(MESSAGES, pixels.byteswap(), "mono16", HEADER)
    message.is_bigendian = 1
    np.testing.assert_array_equal(pixels_from_image(message, "ap/image"), pixels)


def test_colour_is_written_row_by_row():
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    message = image_from_pixels(MESSAGES, pixels, "rgb8", HEADER)
    assert (message.height, message.width, message.step) == (2, 4, 12)
    assert bytes(message.data) == bytes(range(24))
