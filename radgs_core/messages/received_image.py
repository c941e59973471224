"""An X-ray image as it came."""

from collections.abc import Callable
from dataclasses import dataclass

from numpy.typing import NDArray


@dataclass(frozen=True)
class ReceivedImage:
    """An image that may still be compressed: what is known of it at once, and its pixels when somebody needs them.

    Attributes:
        width, height: pixels.
        pixels: gives (height, width) uint8, uint16 or float32; raises InputError where they cannot be had. Of a
            compressed image that takes tens of milliseconds.
    """

    width: int
    height: int
    pixels: Callable[[], NDArray]
