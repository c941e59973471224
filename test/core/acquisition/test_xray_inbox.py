"""Which camera_info an image goes with."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from made_exposure import Exposure

from radgs_core.acquisition.pairing import VIEWS, ApproximatePairing, LatestPairing
from radgs_core.acquisition.xray_inbox import LateImage, NoPairYet, XrayInbox
from radgs_core.errors import InputError

S = 1_000_000_000


NOW, NEVER = 0.0, threading.Event()
LONG = 60.0


@pytest.fixture
def inbox():
    return XrayInbox(ApproximatePairing(0.05), "transmission")


exposure = Exposure.noise


def add_images(inbox: XrayInbox, exposure: Exposure, *views: str) -> None:
    for view in views or VIEWS:
        inbox.add_image(view, exposure.images[view], f"{view}/image")


def add_infos(inbox: XrayInbox, exposure: Exposure, *views: str) -> None:
    for view in views or VIEWS:
        inbox.add_info(view, exposure.infos[view], f"{view}/camera_info")


def focal_px(inbox: XrayInbox, view: str) -> float:
    return inbox.latest().cameras[view].camera_matrix[0, 0]


@pytest.mark.parametrize("first", [add_images, add_infos])
def test_an_image_waits_for_its_own_camera_info_where_an_earlier_one_had_it(first, inbox):
    second = add_infos if first is add_images else add_images
    first(inbox, exposure(1))
    second(inbox, exposure(1))
    assert focal_px(inbox, "ap") == 200.0
    zoomed = exposure(2, focal_px=400.0)
    add_images(inbox, zoomed)
    with pytest.raises(NoPairYet, match=r"ap/camera_info has not come with the stamp 2\.0+ s"):
        inbox.latest()
    add_infos(inbox, zoomed, "ap")
    with pytest.raises(NoPairYet, match="lateral/camera_info has not come"):
        inbox.latest()
    add_infos(inbox, zoomed, "lateral")
    assert (focal_px(inbox, "ap"), focal_px(inbox, "lateral")) == (400.0, 400.0)


def test_where_no_stamp_ever_matched_the_latest_camera_info_counts(inbox):
    add_infos(inbox, exposure(1))
    add_infos(inbox, exposure(2, focal_px=400.0))
    add_images(inbox, exposure(5))
    add_images(inbox, exposure(6))
    assert inbox.latest().stamp_ns == 6 * S
    assert focal_px(inbox, "ap") == 400.0


def test_camera_info_without_images_does_not_displace_that_of_a_shot():
    """A driver that goes on to publish camera_info while the C-arm is turned."""
    inbox = XrayInbox(LatestPairing(600.0), "transmission")
    add_infos(inbox, exposure(1), "ap")
    add_images(inbox, exposure(1), "ap")
    for second in range(2, 100):
        add_infos(inbox, exposure(second, focal_px=400.0), "ap")
    add_infos(inbox, exposure(100), "lateral")
    add_images(inbox, exposure(100), "lateral")
    assert focal_px(inbox, "ap") == 200.0


def test_images_without_a_partner_do_not_displace_the_camera_info_of_the_pair(inbox):
    add_infos(inbox, exposure(1))
    add_images(inbox, exposure(1))
    for second in range(2, 100):
        add_infos(inbox, exposure(second, focal_px=400.0), "ap")
        add_images(inbox, exposure(second), "ap")
    assert inbox.latest().stamp_ns == 1 * S
    assert focal_px(inbox, "ap") == 200.0


@pytest.mark.parametrize("pairing", [LatestPairing(600.0), ApproximatePairing(0.05)])
def test_a_late_image_does_not_replace_a_newer_one(pairing):
    inbox = XrayInbox(pairing, "transmission")
    for second in (1, 2, 3):
        add_infos(inbox, exposure(second))
    add_images(inbox, exposure(2))
    for view in VIEWS:
        with pytest.raises(LateImage, match=rf"{view}/image of 1\.0+ s is older than an image that came before it"):
            add_images(inbox, exposure(1), view)
    assert inbox.latest().stamp_ns == 2 * S
    add_images(inbox, exposure(3))
    assert inbox.latest().stamp_ns == 3 * S


def test_a_late_image_does_not_take_the_place_of_an_unusable_newer_one():
    inbox = XrayInbox(LatestPairing(600.0), "transmission")
    for second in (1, 2):
        add_infos(inbox, exposure(second))
    add_images(inbox, exposure(2))
    unusable = exposure(3)
    unusable.images["ap"].encoding = "rgb8"
    for bad_or_late in (unusable, exposure(1)):
        with pytest.raises(InputError):
            add_images(inbox, bad_or_late, "ap")
    with pytest.raises(InputError, match="encoding 'rgb8'"):
        inbox.latest()


def test_its_own_camera_info_makes_another_pair_where_an_earlier_one_was_taken_for_it(inbox):
    """The first image after activation, before anybody knows that the two have the same stamps."""
    add_infos(inbox, exposure(1))
    add_images(inbox, exposure(2))
    assert focal_px(inbox, "ap") == 200.0
    before = inbox.latest().key
    add_infos(inbox, exposure(2, focal_px=400.0))
    assert focal_px(inbox, "ap") == 400.0
    assert inbox.latest().key != before


def complete(inbox: XrayInbox, second: int) -> None:
    add_infos(inbox, exposure(second))
    add_images(inbox, exposure(second))


def test_an_earlier_pair_does_not_pass_for_one_that_is_incomplete(inbox):
    with pytest.raises(NoPairYet, match="nothing has come on ap/image"):
        inbox.whole(LONG, NEVER)  # at once: nothing has begun to come
    complete(inbox, 1)
    assert inbox.whole(NOW, NEVER).stamp_ns == 1 * S
    add_infos(inbox, exposure(2))
    add_images(inbox, exposure(2), "lateral")
    assert inbox.latest().stamp_ns == 1 * S
    sentence = r"the latest X-rays are no pair: no ap/image has come within sync_slop_s of lateral/image of 2\.0+ s\.$"
    with pytest.raises(NoPairYet, match=sentence):
        inbox.whole(NOW, NEVER)
    assert "lateral/image of 2.0" in inbox.missing
    add_images(inbox, exposure(2), "ap")
    assert inbox.whole(NOW, NEVER).stamp_ns == 2 * S
    assert inbox.missing == ""
    with pytest.raises(LateImage):
        add_images(inbox, exposure(1), "ap")
    with pytest.raises(NoPairYet, match=r"ap/image of 1.0+ s is older than an image that came before it"):
        inbox.whole(NOW, NEVER)


@pytest.mark.parametrize("rest", [add_images, add_infos])
def test_the_rest_of_a_pair_is_waited_for(rest, inbox):
    complete(inbox, 1)
    if rest is add_images:
        add_infos(inbox, exposure(2))
        add_images(inbox, exposure(2), "ap")
    else:
        add_images(inbox, exposure(2))
        add_infos(inbox, exposure(2), "ap")
    with ThreadPoolExecutor(1) as thread:
        pair = thread.submit(inbox.whole, LONG, NEVER)
        rest(inbox, exposure(2), "lateral")
        assert pair.result(LONG).stamp_ns == 2 * S


def test_the_wait_ends_when_it_is_cancelled(inbox):
    add_images(inbox, exposure(1), "ap")
    cancelled = threading.Event()
    with ThreadPoolExecutor(1) as thread:
        pair = thread.submit(inbox.whole, LONG, cancelled)
        cancelled.set()
        with pytest.raises(NoPairYet):
            pair.result(LONG / 2)
