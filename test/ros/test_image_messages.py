import array

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from radgs_reg_ros.image_messages import image_from_pixels, pixels_from_image

HEADER = Header(stamp=Time(sec=5), frame_id="ap_optical")


@pytest.mark.parametrize(
    ("encoding", "pixel_type"),
    [("mono8", np.uint8), ("8UC1", np.uint8), ("mono16", np.uint16), ("16UC1", np.uint16), ("32FC1", np.float32)],
)
def test_pixels_round_trip(encoding, pixel_type):
    pixels = np.arange(35).reshape(5, 7).astype(pixel_type)
    message = image_from_pixels(pixels, encoding, HEADER)
    assert (message.height, message.width, message.step) == (5, 7, 7 * pixels.itemsize)
    read = pixels_from_image(message, "ap/image")
    assert read.dtype == pixel_type
    np.testing.assert_array_equal(read, pixels)


def test_padded_rows_are_read():
    pixels = np.arange(12, dtype=np.uint16).reshape(3, 4)
    padded = np.pad(pixels, ((0, 0), (0, 2)), constant_values=999)
    message = image_from_pixels(padded, "mono16", HEADER)
    message.width = 4
    np.testing.assert_array_equal(pixels_from_image(message, "ap/image"), pixels)


def test_an_odd_padding_is_read():
    message = Image(header=HEADER, height=2, width=2, encoding="mono16", step=5)
    message.data = array.array("B", [1, 0, 2, 0, 99, 3, 0, 4, 1, 99])
    np.testing.assert_array_equal(pixels_from_image(message, "ap/image"), [[1, 2], [3, 260]])


def test_big_endian_pixels_are_read():
    pixels = np.array([[1, 256], [515, 40000]], dtype=np.uint16)
    message = image_from_pixels(pixels.byteswap(), "mono16", HEADER)
    message.is_bigendian = 1
    np.testing.assert_array_equal(pixels_from_image(message, "ap/image"), pixels)


def test_colour_is_written_row_by_row():
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    message = image_from_pixels(pixels, "rgb8", HEADER)
    assert (message.height, message.width, message.step) == (2, 4, 12)
    assert bytes(message.data) == bytes(range(24))
