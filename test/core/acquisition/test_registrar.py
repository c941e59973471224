"""Where a registration starts."""

from typing import Any

import numpy as np
import pytest
from made_bag import initialpose
from made_exposure import Exposure, S
from stand_ins import LEVELS, T_VIEWS, StandInRegistration, at

from radgs_core.acquisition.pairing import VIEWS, ApproximatePairing
from radgs_core.acquisition.registrar import Publish, Registrar
from radgs_core.acquisition.xray_inbox import Acquisition, XrayInbox
from radgs_core.errors import InputError
from radgs_core.registration.result import RegistrationResult


def acquisition(second: int = 1) -> Acquisition:
    inbox, exposure = XrayInbox(ApproximatePairing(0.05), "transmission"), Exposure.noise(second)
    for view in VIEWS:
        inbox.add_info(view, exposure.infos[view], f"{view}/camera_info")
        inbox.add_image(view, exposure.images[view], f"{view}/image")
    return inbox.latest()


def registrar(registration: Any, lookup: Any = None) -> Registrar:
    return Registrar(registration, LEVELS, "carm_base", lambda view, frame, stamp_ns: T_VIEWS[view], lookup)


def register(registrar: Registrar, second: int = 1, publish: Publish = lambda result: None) -> RegistrationResult:
    pair = acquisition(second)
    return registrar.register(pair, registrar.geometry(pair), lambda fraction, message: None, publish)


def test_each_view_stands_where_it_was_at_the_stamp_of_its_image() -> None:
    asked = []

    def place(view: str, frame: str, stamp_ns: int) -> np.ndarray:
        asked.append((view, frame, stamp_ns))
        return T_VIEWS[view]

    geometry = Registrar(StandInRegistration(), ["L1"], "tracker", place, None).geometry(acquisition(3))
    assert asked == [("ap", "ap_optical", 3 * S), ("lateral", "lateral_optical", 3 * S)]
    assert geometry.reference == "tracker"
    np.testing.assert_array_equal(geometry.views["lateral"].T_reference_camera, T_VIEWS["lateral"])


def test_without_networks_a_start_is_asked_for() -> None:
    with pytest.raises(InputError, match=r"no start for the registration.*initialpose.*carm_base"):
        register(registrar(StandInRegistration()))


def test_networks_find_the_levels_in_every_pair_anew() -> None:
    registration = StandInRegistration(needs_start=False)
    one = registrar(registration)
    register(one)
    register(one, 2)
    assert registration.starts == [None, None]


def test_an_initialpose_is_where_it_starts_until_there_is_a_result() -> None:
    registration = StandInRegistration(rejects=("L1",))
    one = registrar(registration)
    one.set_start(initialpose(0, at(10))[3], "initialpose")
    register(one)
    register(one, 2)
    assert registration.starts[0] == pytest.approx({"T12": 10, "L1": 10})
    assert registration.starts[1] == pytest.approx({"T12": 11, "L1": 500}), "rejected levels start at the body"
    one.set_start(initialpose(0, at(20))[3], "initialpose")
    register(one, 3)
    assert registration.starts[2] == pytest.approx({"T12": 20, "L1": 20})


def test_after_a_result_without_registered_levels_it_starts_as_before() -> None:
    registration = StandInRegistration(rejects=("T12", "L1"))
    one = registrar(registration)
    one.set_start(initialpose(0, at(10))[3], "initialpose")
    register(one)
    register(one, 2)
    assert registration.starts[1] == pytest.approx({"T12": 10, "L1": 10})


def test_a_result_that_was_not_published_is_no_start() -> None:
    registration = StandInRegistration()
    one = registrar(registration)
    one.set_start_poses({"T12": at(3), "L1": at(4)})

    def refuse(result: RegistrationResult) -> None:
        raise RuntimeError("cancelled")

    with pytest.raises(RuntimeError, match="cancelled"):
        register(one, publish=refuse)
    published: list[RegistrationResult] = []
    result = register(one, 2, published.append)
    assert published == [result]
    register(one, 3)
    assert registration.starts == [{"T12": 3, "L1": 4}, {"T12": 3, "L1": 4}, {"T12": 4, "L1": 5}]


def test_start_poses_of_each_level() -> None:
    registration = StandInRegistration()
    one = registrar(registration)
    one.set_start_poses({"T12": at(3), "L1": at(4)})
    register(one)
    assert registration.starts == [{"T12": 3, "L1": 4}]


@pytest.mark.parametrize(("stamp_ns", "asked_ns"), [(5 * S, 5 * S), (0, 7 * S)])
def test_a_start_in_another_frame_is_placed_at_its_stamp_or_at_that_of_the_xrays(stamp_ns: int, asked_ns: int) -> None:
    registration = StandInRegistration()
    asked = []

    def lookup(target: str, source: str, stamp: int) -> np.ndarray:
        asked.append((target, source, stamp))
        return at(100)

    one = registrar(registration, lookup)
    one.set_start(initialpose(0, at(10), "table", stamp_ns)[3], "initialpose")
    register(one, 7)
    assert asked == [("carm_base", "table", asked_ns)]
    assert registration.starts[0] == pytest.approx({"T12": 110, "L1": 110})


@pytest.mark.parametrize(("stamp_ns", "asked_ns"), [(5 * S, [5 * S]), (0, [7 * S])])
def test_a_start_with_a_stamp_is_placed_once_and_kept(stamp_ns: int, asked_ns: list[int]) -> None:
    """The frame moves, and TF remembers only seconds: what it said when the start came is what counts."""
    registration, asked = StandInRegistration(rejects=("T12", "L1")), []

    def lookup(target: str, source: str, stamp: int) -> np.ndarray:
        asked.append(stamp)
        return at(100)

    def forgotten(target: str, source: str, stamp: int) -> np.ndarray:
        assert not stamp_ns, "TF was asked again"
        return lookup(target, source, stamp)

    one = registrar(registration, forgotten)
    one.set_start(initialpose(0, at(10), "table", stamp_ns)[3], "initialpose")
    one.place_start(lookup)
    assert asked == ([stamp_ns] if stamp_ns else [])
    register(one, 7)
    assert asked == asked_ns
    assert registration.starts[0] == pytest.approx({"T12": 110, "L1": 110})


def test_a_start_that_has_no_place_when_it_comes_is_looked_up_by_the_registration() -> None:
    registration = StandInRegistration()

    def unknown(target: str, source: str, stamp: int) -> np.ndarray:
        raise InputError("no such frame.")

    one = registrar(registration, lambda target, source, stamp: at(100))
    one.set_start(initialpose(0, at(10), "table", 5 * S)[3], "initialpose")
    with pytest.raises(InputError, match="no such frame"):
        one.place_start(unknown)
    register(one, 7)
    register(one, 8)
    assert registration.starts == [pytest.approx({"T12": x, "L1": x}) for x in (110, 111)]


@pytest.mark.parametrize("frame", ["carm_base", "/carm_base"])
def test_a_start_in_the_reference_frame_needs_no_transform(frame: str) -> None:
    registration = StandInRegistration()
    one = registrar(registration)
    one.set_start(initialpose(0, at(10), frame, 5 * S)[3], "initialpose")
    one.place_start(None)  # type: ignore[arg-type]
    register(one)
    assert registration.starts[0] == pytest.approx({"T12": 10, "L1": 10})


def test_a_start_without_a_frame_is_refused() -> None:
    with pytest.raises(InputError, match=r"initialpose: header\.frame_id is empty; set it to carm_base"):
        registrar(StandInRegistration()).set_start(initialpose(0, at(1), "")[3], "initialpose")


@pytest.mark.parametrize(("frame", "stamp_ns"), [("table", 5 * S), ("table", 0), ("carm_base", 5 * S)])
def test_only_a_start_with_a_stamp_and_without_a_place_is_dropped(frame: str, stamp_ns: int) -> None:
    one = registrar(StandInRegistration(), lambda target, source, stamp: at(100))
    assert not one.drop_unplaced_start(), "there is none"
    one.set_start(initialpose(0, at(10), frame, stamp_ns)[3], "initialpose")
    awaits_place = frame == "table" and stamp_ns > 0
    assert one.drop_unplaced_start() == awaits_place
    if awaits_place:
        with pytest.raises(InputError, match="no start for the registration"):
            register(one)
    else:
        register(one)


def test_placing_a_start_says_which_frame_was_looked_up() -> None:
    one = registrar(StandInRegistration())
    one.set_start(initialpose(0, at(10), "table", 5 * S)[3], "initialpose")
    assert [one.place_start(lambda target, source, stamp: at(100)) for _ in range(2)] == ["table", ""]
    assert not one.drop_unplaced_start()
