import numpy as np
import pytest

from radgs_core.acquisition.pairing import ApproximatePairing, LatestPairing, Shot
from radgs_core.messages.received_image import ReceivedImage

MS = 1_000_000


def shot(view: str, stamp_ms: int) -> Shot:
    return Shot(view, stamp_ms * MS, f"{view}_optical", ReceivedImage(8, 8, lambda: np.zeros((8, 8), np.uint8)))


def stamps_ms(pair) -> tuple[int, int] | None:
    return pair and (pair.ap.stamp_ns // MS, pair.lateral.stamp_ns // MS)


def test_images_within_the_slop_are_a_pair_whichever_comes_first():
    for first, second in (("ap", "lateral"), ("lateral", "ap")):
        pairing = ApproximatePairing(0.05)
        assert pairing.add(shot(first, 1000)) is None
        pair = pairing.add(shot(second, 1050))
        assert pair is not None
        assert (pair.ap.view, pair.lateral.view) == ("ap", "lateral")
        assert pair.stamp_ns == 1050 * MS


def test_images_beyond_the_slop_are_no_pair():
    pairing = ApproximatePairing(0.05)
    pairing.add(shot("ap", 1000))
    assert pairing.add(shot("lateral", 1051)) is None


def test_an_image_is_used_once():
    pairing = ApproximatePairing(0.05)
    pairing.add(shot("ap", 1000))
    assert stamps_ms(pairing.add(shot("lateral", 1001))) == (1000, 1001)
    assert pairing.add(shot("lateral", 1034)) is None
    assert stamps_ms(pairing.add(shot("ap", 1033))) == (1033, 1034)


@pytest.mark.parametrize(("first", "second"), [("ap", "lateral"), ("lateral", "ap")])
def test_a_lost_image_does_not_shift_the_pairs_after_it(first, second):
    """Its partner may be taken by the next image, but not for longer than until that one's own comes."""
    pairing, pairs = ApproximatePairing(0.05), []
    for stamp in range(33, 400, 33):
        for view in (first, second):
            if (view, stamp) != (first, 66):
                pairs.append(stamps_ms(pairing.add(shot(view, stamp))))
    made = [pair for pair in pairs if pair is not None]
    assert [pair for pair in made if pair[0] != pair[1]] == [(99, 66) if first == "ap" else (66, 99)]
    assert [pair for pair in made if pair[0] == pair[1]] == [(s, s) for s in range(33, 400, 33) if s != 66]


@pytest.mark.parametrize("view", ["ap", "lateral"])
def test_an_image_that_comes_twice_does_not_shift_the_pairs_after_it(view):
    pairing, pairs = ApproximatePairing(0.05), []
    for stamp in range(33, 400, 33):
        for one in ("ap", "lateral"):
            pairs += [pairing.add(shot(one, stamp)) for _ in range(2 if (one, stamp) == (view, 66) else 1)]
    made = [stamps_ms(pair) for pair in pairs if pair is not None]
    assert made == [(s, s) for s in range(33, 400, 33)]
    assert pairing.missing == ""


def test_what_the_newest_image_waits_for_is_told():
    pairing = ApproximatePairing(0.05)
    assert pairing.missing == ""
    pairing.add(shot("ap", 1000))
    pairing.add(shot("lateral", 1010))
    assert pairing.missing == ""
    pairing.add(shot("lateral", 2000))
    assert pairing.missing == "no ap/image has come within sync_slop_s of lateral/image of 2.000000000 s"
    pairing.add(shot("ap", 3000))
    assert "of ap/image of 3.000000000 s" in pairing.missing
    pairing.add(shot("lateral", 3000))
    assert pairing.missing == ""


def test_latest_pairs_no_images_that_were_taken_too_far_apart():
    pairing = LatestPairing(60.0)
    assert pairing.add(shot("lateral", 1000)) is None
    assert pairing.missing == "no ap/image has come for lateral/image of 1.000000000 s"
    assert stamps_ms(pairing.add(shot("ap", 61_000))) == (61_000, 1000)
    assert pairing.add(shot("ap", 61_001)) is None
    assert pairing.missing == (
        "lateral/image of 1.000000000 s is more than sync_max_age_s older than ap/image of 61.001000000 s"
    )
    assert stamps_ms(pairing.add(shot("lateral", 61_002))) == (61_001, 61_002)
    assert pairing.missing == ""


def test_the_nearest_image_is_taken_and_older_ones_are_dropped():
    pairing = ApproximatePairing(0.05)
    for stamp in (960, 980, 1010):
        pairing.add(shot("ap", stamp))
    assert stamps_ms(pairing.add(shot("lateral", 985))) == (980, 985)
    assert pairing.add(shot("lateral", 955)) is None, "960 was dropped"
    assert stamps_ms(pairing.add(shot("lateral", 1012))) == (1010, 1012)


def test_memory_is_bounded_when_the_other_view_never_comes():
    pairing = ApproximatePairing(10.0)
    for stamp in range(100):
        pairing.add(shot("ap", stamp))
    assert stamps_ms(pairing.add(shot("lateral", 0))) == (92, 0), "of a hundred images the last eight are kept"


def test_latest_pairs_the_last_images_of_each_view():
    pairing = LatestPairing(600.0)
    assert pairing.add(shot("ap", 1000)) is None
    assert pairing.add(shot("ap", 2000)) is None
    assert stamps_ms(pairing.add(shot("lateral", 90_000))) == (2000, 90_000)
    assert stamps_ms(pairing.add(shot("ap", 120_000))) == (120_000, 90_000)


def test_dropped_views_do_not_pair():
    for pairing in (ApproximatePairing(10.0), LatestPairing(600.0)):
        pairing.add(shot("ap", 1000))
        pairing.drop("ap")
        assert pairing.add(shot("lateral", 1000)) is None


def test_an_image_that_a_newer_one_overtook_is_late():
    pairing = LatestPairing(600.0)
    pairing.add(shot("ap", 2000))
    assert pairing.is_late(shot("ap", 1999))
    assert not pairing.is_late(shot("ap", 2000)), "the same one sent again"
    assert not pairing.is_late(shot("lateral", 1000)), "the other view has a time of its own"
    pairing.drop("ap")
    assert pairing.is_late(shot("ap", 1999)), "not to take the place of an unusable newer one"


def test_in_a_stream_an_image_is_late_when_a_newer_one_was_in_a_pair():
    pairing = ApproximatePairing(0.05)
    pairing.add(shot("ap", 1033))
    assert not pairing.is_late(shot("ap", 1000))
    pairing.add(shot("lateral", 1034))
    assert pairing.is_late(shot("ap", 1032))
    assert pairing.is_late(shot("lateral", 1033))
    assert not pairing.is_late(shot("ap", 1066))


def test_images_wait_by_their_stamps_in_whatever_order_they_came():
    pairing = ApproximatePairing(0.05)
    for stamp in (1066, 1000, 960):
        pairing.add(shot("ap", stamp))
    assert stamps_ms(pairing.add(shot("lateral", 1001))) == (1000, 1001)
    assert pairing.add(shot("lateral", 1005)) is None, "960 was dropped"
    assert stamps_ms(pairing.add(shot("lateral", 1067))) == (1066, 1067)


def test_a_late_image_leaves_newer_ones_of_its_view_to_later_pairs():
    pairing = ApproximatePairing(0.01)
    pairing.add(shot("ap", 1033))
    pairing.add(shot("lateral", 1001))
    assert stamps_ms(pairing.add(shot("ap", 1000))) == (1000, 1001)
    assert stamps_ms(pairing.add(shot("lateral", 1034))) == (1033, 1034)
