"""A pair that was taken before does not pass for one that is still to come, or that has lost an image."""

import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from xray_source import Exposure, XraySource

NODE = "/registration_node"
ANSWER_S = 20.0
LOST = "no ap/image has come within sync_slop_s of lateral/image of 1001.000000000 s"


@pytest.fixture(scope="module")
def source(start_node, remote, case_folder):
    remote.watch(start_node("registration_node", case=str(case_folder), tf_timeout_s=0.2))
    remote.bring_up([NODE])
    return XraySource(remote)


def test_a_lost_image_is_told_and_the_pair_before_it_is_not_registered_for_it(source, remote, diagnostics):
    source.send(Exposure.good(1000))
    diagnostics.wait_for_value("pair", "stamp", lambda stamp: stamp.startswith("1000."))
    assert "no start for the registration" in remote.trigger(f"{NODE}/register", ANSWER_S).message, "nothing else"
    since = diagnostics.mark()
    source.send(Exposure.good(1001), ["lateral"])
    diagnostics.wait("pair", lambda s: s.level == DiagnosticStatus.WARN and LOST in s.message, "the lost image", since)
    answer = remote.trigger(f"{NODE}/register", ANSWER_S)
    assert (answer.success, answer.message) == (False, f"the latest X-rays are no pair: {LOST}.")
    diagnostics.wait("registration", lambda s: s.message == answer.message, "the refusal", since)


def test_the_warning_lasts_while_images_of_one_view_go_on_and_ends_with_the_next_pair(source, remote, diagnostics):
    source.send(Exposure.good(1010), ["lateral"])
    since = diagnostics.mark()
    diagnostics.wait("pair", lambda s: s.level == DiagnosticStatus.WARN, "the lost image", since)
    source.send(Exposure.good(1011), ["lateral"])
    diagnostics.wait("pair", lambda s: "1011." in s.message, "the next one", since)
    assert {s.level for s in diagnostics.entries("pair", since)} == {DiagnosticStatus.WARN}
    source.send(Exposure.good(1012))
    diagnostics.wait_for_value("pair", "stamp", lambda stamp: stamp.startswith("1012."), since)
    assert diagnostics.entries("pair", since)[-1].level == DiagnosticStatus.OK


def test_an_old_image_that_comes_again_is_no_new_pair(source, remote, diagnostics):
    """A recording that is looped without /clock; a camera whose clock was set back."""
    source.send(Exposure.good(1020))
    diagnostics.wait_for_value("pair", "stamp", lambda stamp: stamp.startswith("1020."))
    since = diagnostics.mark()
    source.send(Exposure.good(500))
    for view in ("ap", "lateral"):
        diagnostics.wait(f"{view}/image", lambda s: s.level == DiagnosticStatus.WARN, "it is late", since)
    answer = remote.trigger(f"{NODE}/register", ANSWER_S)
    assert not answer.success
    assert "image of 500.000000000 s is older than an image that came before it" in answer.message
