"""Parameters that take effect at once do, while the node is active; the others wait for cleanup."""

import re

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from node_parameters import set_parameter
from radgs_reg.msg import VertebraPoseArray
from sensor_msgs.msg import Image
from xray_source import Exposure, XraySource

from radgs_core.messages.images import pixels_from_image
from radgs_core.messages.stamps import nanoseconds, seconds_text
from radgs_reg_ros import qos

NODE, SIMULATOR = "/registration_node", "/carm_simulator_node"


@pytest.fixture(scope="module")
def node(start_node, remote, case_folder):
    """Active; it would wait a minute for a transform."""
    remote.watch(start_node("registration_node", case=str(case_folder), tf_timeout_s=60.0))
    remote.bring_up([NODE])


@pytest.fixture(scope="module")
def source(node, remote):
    return XraySource(remote)


def change(remote, node: str, name: str, value: object) -> None:
    result = set_parameter(remote, node, name, value)
    assert result.successful, result.reason


def wait_for_pair(diagnostics, second: int, since: int) -> None:
    diagnostics.wait_for_value("pair", "stamp", lambda stamp: stamp.startswith(f"{second}."), since)


def wait_for_failure(diagnostics, sentence: str, since: int) -> None:
    """Wait until a registration ended with this sentence."""
    diagnostics.wait(
        "registration", lambda s: s.level == DiagnosticStatus.ERROR and re.search(sentence, s.message), sentence, since
    )


def test_what_is_read_at_configure_is_refused_while_active(node, remote):
    refused = set_parameter(remote, NODE, "sync_mode", "latest")
    assert not refused.successful
    assert refused.reason == (
        "the parameter sync_mode is read when the node is configured; clean up first, then set it."
    )
    change(remote, NODE, "sync_mode", "approximate")  # a file that is loaded again


def test_the_slop_of_pairs(source, remote, diagnostics):
    since = diagnostics.mark()
    source.send(Exposure.good(1000), ["ap"])
    source.send(Exposure.good(1001), ["lateral"])
    diagnostics.wait("pair", lambda s: "within sync_slop_s" in s.message, "no pair", since)
    change(remote, NODE, "sync_slop_s", 1.5)
    source.send(Exposure.good(1010), ["ap"])
    source.send(Exposure.good(1011), ["lateral"])
    wait_for_pair(diagnostics, 1011, since)


def test_the_wait_for_transforms(source, remote, diagnostics):
    change(remote, NODE, "tf_timeout_s", 0.0)
    since = diagnostics.mark()
    exposure = Exposure.good(1020)
    exposure.transforms.clear()
    source.send(exposure)
    wait_for_pair(diagnostics, 1020, since)
    answer = remote.trigger(f"{NODE}/register", 20.0)
    assert "nobody publishes ap_1020" in answer.message


def test_new_pairs_register_from_then_on(source, remote, diagnostics):
    """Not the pair that is there already: whoever wants that calls ~/register."""
    change(remote, NODE, "tf_timeout_s", 20.0)
    since = diagnostics.mark()
    source.send(Exposure.good(1030))
    wait_for_pair(diagnostics, 1030, since)
    change(remote, NODE, "auto_register", True)
    source.send(Exposure.good(1040), ["lateral"])
    source.send(Exposure.good(1040), ["ap"])
    wait_for_failure(diagnostics, "no start for the registration", since)
    told = str(diagnostics.entries("registration", since))
    assert "1040." in told and "1030." not in told

    change(remote, NODE, "auto_register", False)
    since = diagnostics.mark()
    source.send(Exposure.good(1050))
    wait_for_pair(diagnostics, 1050, since)
    assert "1050." not in str(diagnostics.entries("registration", since))


class Theatre:
    """What the simulator sends."""

    def __init__(self, remote) -> None:
        self._remote = remote
        self._truth = remote.listen(VertebraPoseArray, "/ground_truth/vertebra_poses", qos.last_result())
        self._images = remote.listen(Image, "/ap/image", qos.images_in("reliable"))

    def expose(self) -> tuple[VertebraPoseArray, np.ndarray]:
        """The truth of a new exposure, and its AP X-ray."""
        answer = self._remote.trigger(f"{SIMULATOR}/expose", 60.0)
        assert answer.success, answer.message
        truth, image = (
            self._remote.wait_for(
                lambda messages=messages: next(
                    (m for m in messages if seconds_text(nanoseconds(m.header.stamp)) in answer.message), None
                ),
                "what was exposed",
                20.0,
            )
            for messages in (self._truth, self._images)
        )
        return truth, pixels_from_image(image, "ap/image").astype(float)


@pytest.fixture(scope="module")
def theatre(start_node, remote, case_folder, diagnostics):
    options = {"image_size": 64, "pixel_mm": 4.8, "physics": "plain", "frame_prefix": "left/"}
    remote.watch(start_node("carm_simulator_node", case=str(case_folder), **options))
    theatre = Theatre(remote)
    remote.bring_up([SIMULATOR])
    diagnostics.wait_for_value("subscribers", "ap/image", lambda count: int(count) >= 1)
    return theatre


def moved(truth: VertebraPoseArray) -> bool:
    """Whether the levels moved, each on its own."""
    first, second = truth.vertebrae
    return first.ct_pose != second.ct_pose


def test_the_motion_of_the_simulated_patient(theatre, remote):
    assert moved(theatre.expose()[0])
    change(remote, SIMULATOR, "motion_mm", 0.0)
    change(remote, SIMULATOR, "motion_deg", 0.0)
    assert not moved(theatre.expose()[0])


def test_the_dose_of_the_simulated_carm(theatre, remote):
    def noise() -> float:
        one, other = theatre.expose()[1], theatre.expose()[1]
        return float(np.median(np.abs(one - other) / one.clip(1.0)))

    change(remote, SIMULATOR, "motion_mm", 0.0)
    change(remote, SIMULATOR, "motion_deg", 0.0)
    change(remote, SIMULATOR, "photons", 100.0)
    much = noise()
    change(remote, SIMULATOR, "photons", 1e6)
    assert noise() < much / 10
