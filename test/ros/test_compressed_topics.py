"""X-rays as PNG in CompressedImage, as image_transport's plugin sends them."""

import re
from array import array

import cv2
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from sensor_msgs.msg import CompressedImage
from xray_source import Exposure, XraySource

from radgs_core.messages.images import pixels_from_image
from radgs_reg_ros import qos

NODE = "/registration_node"


@pytest.fixture(scope="module")
def node(start_node, remote, case_folder):
    remote.watch(start_node("registration_node", case=str(case_folder), image_transport="compressed", tf_timeout_s=0.2))
    remote.bring_up([NODE])


class CompressingSource(XraySource):
    """Sends every image as PNG."""

    kind, suffix = CompressedImage, "/compressed"

    def publish_image(self, publisher, image) -> None:
        pixels = pixels_from_image(image, "image")
        data = array("B", cv2.imencode(".png", pixels)[1].tobytes())
        publisher.publish(CompressedImage(header=image.header, format=f"{image.encoding}; png compressed ", data=data))


@pytest.fixture(scope="module")
def source(node, remote):
    return CompressingSource(remote)


def test_it_waits_for_the_compressed_topics(node, remote):
    answer = remote.trigger(f"{NODE}/register", 20.0)
    assert "nothing has come on ap/image/compressed, ap/camera_info, lateral/image/compressed" in answer.message


def test_a_pair_is_taken(source, remote, diagnostics):
    since = diagnostics.mark()
    source.send(Exposure.good(1000))
    diagnostics.wait_for_value("pair", "stamp", lambda stamp: stamp.startswith("1000."), since)
    for view in ("ap", "lateral"):
        diagnostics.wait(
            f"{view}/image/compressed", lambda s: s.message == "64x64 mono16; png compressed", "the image", since
        )
    answer = remote.trigger(f"{NODE}/register", 20.0)
    assert "no start for the registration" in answer.message, "nothing else is missing"


def test_an_unusable_image_is_reported_and_takes_the_earlier_one_back(source, remote, diagnostics):
    since = diagnostics.mark()
    exposure = Exposure.good(1010)
    cut = CompressedImage(
        header=exposure.images["ap"].header, format="mono16; png compressed", data=array("B", b"\x89PNG")
    )
    remote.publisher(CompressedImage, "/ap/image/compressed", qos.images_out()).publish(cut)
    sentence = "ap/image/compressed: the 4 bytes are no PNG"
    diagnostics.wait(
        "ap/image/compressed",
        lambda s: s.level == DiagnosticStatus.ERROR and re.search(sentence, s.message),
        sentence,
        since,
    )
    answer = remote.trigger(f"{NODE}/register", 20.0)
    assert not answer.success and sentence in answer.message
