import array

import cv2
import numpy as np
import pytest

from radgs_core.errors import InputError
from radgs_core.messages import compressed_images
from radgs_core.messages.compressed_images import compressed_from_pixels, image_from_compressed
from radgs_core.messages.headers import header_of
from radgs_core.messages.image_transport import TRANSPORTS
from radgs_core.messages.recorded_messages import RecordedMessages
from radgs_core.messages.topics import COMPRESSED_IMAGE

MESSAGES = RecordedMessages()
HEADER = header_of(MESSAGES, 5_000_000_000, "ap_optical")
GREY = np.random.default_rng(0).integers(0, 256, (40, 60)).astype(np.uint8)
DEEP = np.random.default_rng(1).integers(0, 65536, (40, 60)).astype(np.uint16)


def encoded(pixels: np.ndarray, suffix: str = ".png") -> bytes:
    return cv2.imencode(suffix, pixels)[1].tobytes()


def compressed(form: str, content: bytes):
    return MESSAGES.make(COMPRESSED_IMAGE, header=HEADER, format=form, data=array.array("B", content))


@pytest.mark.parametrize(
    ("form", "pixels"),
    [
        ("mono8; png compressed", GREY),
        ("8UC1; png compressed ", GREY),
        ("mono16; png compressed ", DEEP),
        ("16UC1; png compressed", DEEP),
        ("png", GREY),
        ("png", DEEP),
    ],
)
def test_pixels_come_as_they_were(form, pixels):
    read = image_from_compressed(compressed(form, encoded(pixels)), "ap/image/compressed").pixels()
    assert read.dtype == pixels.dtype
    np.testing.assert_array_equal(read, pixels)


def test_an_image_is_decoded_only_when_its_pixels_are_needed(monkeypatch):
    """That takes longer than images of a stream are apart."""
    decoded, calls = compressed_images.decoded, []
    monkeypatch.setattr(compressed_images, "decoded", lambda content: calls.append(1) or decoded(content))
    image = image_from_compressed(compressed("png", encoded(DEEP)), "ap/image/compressed")
    assert (image.width, image.height, calls) == (60, 40, [])
    np.testing.assert_array_equal(image.pixels(), DEEP)
    assert calls == [1]


@pytest.mark.parametrize("transport", TRANSPORTS.values(), ids=TRANSPORTS)
@pytest.mark.parametrize(("encoding", "pixels"), [("mono8", GREY), ("mono16", DEEP)])
def test_pixels_go_as_they_come(transport, encoding, pixels):
    message = transport.message(MESSAGES, pixels, encoding, HEADER)
    message = MESSAGES.read(transport.kind, MESSAGES.serialised(transport.kind, message), "it")
    assert message.header == HEADER
    assert transport.encoding(message).split(";")[0] == encoding
    read = transport.image(message, transport.topic("ap")).pixels()
    assert read.dtype == pixels.dtype
    np.testing.assert_array_equal(read, pixels)


def test_what_goes_is_a_png_that_others_read():
    message = compressed_from_pixels(MESSAGES, DEEP, "mono16", HEADER)
    assert message.format == "mono16; png compressed ", "as image_transport's plugin has it"
    np.testing.assert_array_equal(cv2.imdecode(message.data, cv2.IMREAD_UNCHANGED), DEEP)


WHOLE = encoded(DEEP)
FLIPPED = bytes([*WHOLE[:200], WHOLE[200] ^ 1, *WHOLE[201:]])


@pytest.mark.parametrize(
    ("form", "content", "sentence"),
    [
        ("mono8; jpeg compressed ", encoded(GREY, ".jpg"), "the format 'mono8; jpeg compressed ' is not read"),
        ("16UC1; compressedDepth png", WHOLE, "the format '16UC1; compressedDepth png' is not read"),
        ("", WHOLE, "the format '' is not read"),
        ("bgr8; png compressed bgr8", encoded(np.dstack([GREY] * 3)), "the format .* is not read"),
        ("rgb8; png compressed", encoded(np.dstack([GREY] * 3)), "the encoding 'rgb8' is not that of an X-ray as PNG"),
        ("32FC1; png compressed ", WHOLE, "publish one of mono8, 8UC1, mono16, 16UC1"),
        ("png", encoded(np.dstack([GREY] * 3)), "the PNG is in colour or has"),
        ("mono16; png compressed ", encoded(GREY), "the PNG has 8 bits a pixel, but the format says mono16"),
        ("mono8; png compressed", WHOLE, "the PNG has 16 bits a pixel, but the format says mono8"),
        ("mono16; png compressed", WHOLE[:-30], f"the {len(WHOLE) - 30} bytes are no PNG, or a truncated or damaged"),
        ("mono16; png compressed", FLIPPED, "truncated or damaged"),
        ("mono16; png compressed", b"", "the 0 bytes are no PNG"),
        ("png", encoded(GREY, ".jpg"), "are no PNG"),
    ],
)
def test_what_is_no_xray_is_refused_in_one_sentence(form, content, sentence):
    with pytest.raises(InputError, match=rf"^ap/image/compressed: .*{sentence}.*\.$"):
        image_from_compressed(compressed(form, content), "ap/image/compressed")


def test_a_message_without_a_frame_is_refused():
    message = compressed("png", encoded(GREY))
    message.header = header_of(MESSAGES, 5_000_000_000, "")
    with pytest.raises(InputError, match="frame_id is empty"):
        image_from_compressed(message, "ap/image/compressed")


def test_topics_are_those_of_image_transport():
    assert {name: transport.topic("ap") for name, transport in TRANSPORTS.items()} == {
        "raw": "ap/image",
        "compressed": "ap/image/compressed",
    }
