"""Which camera_info an image goes with."""

import pytest
from made_exposure import Exposure

from radgs_core.acquisition.pairing import VIEWS, ApproximatePairing, LatestPairing
from radgs_core.acquisition.xray_inbox import LateImage, NoPairYet, XrayInbox
from radgs_core.errors import InputError

S = 1_000_000_000


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
    inbox = XrayInbox(LatestPairing(), "transmission")
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


@pytest.mark.parametrize("pairing", [LatestPairing(), ApproximatePairing(0.05)])
def test_a_late_image_does_not_replace_a_newer_one(pairing):
    inbox = XrayInbox(pairing, "transmission")
    for second in (1, 2, 3):
        add_infos(inbox, exposure(second))
    add_images(inbox, exposure(2))
    for view in VIEWS:
        with pytest.raises(LateImage, match=f"{view}/image is older than an image that came before it"):
            add_images(inbox, exposure(1), view)
    assert inbox.latest().stamp_ns == 2 * S
    add_images(inbox, exposure(3))
    assert inbox.latest().stamp_ns == 3 * S


def test_a_late_image_does_not_take_the_place_of_an_unusable_newer_one():
    inbox = XrayInbox(LatestPairing(), "transmission")
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
