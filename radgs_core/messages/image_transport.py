"""The ways in which X-ray images come: as they are, or compressed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from numpy.typing import NDArray

from radgs_core.geometry.camera import VIEW_NAMES
from radgs_core.messages.compressed_images import compressed_from_pixels, image_from_compressed
from radgs_core.messages.factory import Message, MessageFactory
from radgs_core.messages.images import image_from_pixels, received_image
from radgs_core.messages.received_image import ReceivedImage
from radgs_core.messages.topics import CAMERA_INFO, COMPRESSED_IMAGE, IMAGE, image_topic, info_topic


@dataclass(frozen=True)
class ImageTransport:
    """One way.

    Attributes:
        kind: type of the messages.
        suffix: what its topic's name has after that of the image, as ROS's image_transport does it.
        image: of a message, given what an error calls it; raises InputError.
        message: of a factory, (height, width) pixels, what they are called as an encoding, and a header.
        encoding: what a message says of its pixels.
    """

    kind: str
    suffix: str
    image: Callable[[Message, str], ReceivedImage]
    message: Callable[[MessageFactory, NDArray, str, Message], Message]
    encoding: Callable[[Message], str]

    def topic(self, view: str) -> str:
        """Where the images of a view come."""
        return image_topic(view) + self.suffix

    @property
    def xray_topics(self) -> dict[str, str]:
        """By topic of images and camera_info, the type: without one of them there are no pairs."""
        images = {self.topic(view): self.kind for view in VIEW_NAMES}
        return images | {info_topic(view): CAMERA_INFO for view in VIEW_NAMES}


RAW = ImageTransport(IMAGE, "", received_image, image_from_pixels, lambda message: message.encoding)
COMPRESSED = ImageTransport(
    COMPRESSED_IMAGE,
    "/compressed",
    image_from_compressed,
    compressed_from_pixels,
    lambda message: message.format.strip(),
)
TRANSPORTS: Mapping[str, ImageTransport] = MappingProxyType({"raw": RAW, "compressed": COMPRESSED})
"""By the name that image_transport has for it."""
