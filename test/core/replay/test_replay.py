"""From recording to recording, with a registration that takes no time."""

import dataclasses
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_bag import Sent, as_png, clock, initialpose, moving, static, write_bag, xrays
from made_exposure import MESSAGES, Exposure, S
from stand_ins import LEVELS, T_VIEWS, StandInRegistration, at, stand_in_case

from radgs_core import result_messages
from radgs_core.errors import InputError
from radgs_core.io.bag_reader import opened_bag
from radgs_core.io.bag_writer import written_bag
from radgs_core.messages import markers
from radgs_core.messages.topics import IMAGE
from radgs_core.messages.transforms import matrix_from_pose, matrix_from_transform
from radgs_core.replay.outcome import PairOutcome
from radgs_core.replay.replay import Replay
from radgs_core.replay.settings import ReplaySettings
from radgs_core.result_messages import ResultMessages

VIEWS_ON_TF = {f"{view}_optical": T for view, T in T_VIEWS.items()}
SETTINGS = ReplaySettings(levels=LEVELS, initial=dict.fromkeys(LEVELS, at(10)))
WITHOUT_START = dataclasses.replace(SETTINGS, initial=None)
HOUR_S = 3600
"""The recorder's clock is this far from the stamps."""


class Replayed:
    """A recording, what became of it, and what was written."""

    def __init__(
        self,
        folder: Path,
        sent: Sequence[Sent],
        settings: ReplaySettings = SETTINGS,
        registration: StandInRegistration | None = None,
        storage: str = "mcap",
    ) -> None:
        self.registration = registration or StandInRegistration()
        bag_path = write_bag(folder / "bag", sent, storage)
        self.path = folder / "replayed"
        with opened_bag(bag_path) as bag, written_bag(self.path, bag.storage, MESSAGES.types, {}) as writer:
            replay = Replay(bag, stand_in_case(), self.registration, settings)  # type: ignore[arg-type]
            self.outcomes: list[PairOutcome] = replay.run(writer, lambda fraction, message: None)
            self.left_out = replay.left_out

    @property
    def seconds(self) -> list[float]:
        """Stamps of the pairs."""
        return [outcome.stamp_ns / S for outcome in self.outcomes]

    def written(self, *topics: str) -> list[tuple[int, str, Any]]:
        """What is on some topics of the new recording, all by default: received, topic and message."""
        with opened_bag(self.path) as bag:
            return [
                (recorded.received_ns, recorded.topic, MESSAGES.read(recorded.kind, recorded.data, ""))
                for recorded in bag.messages(topics or list(bag.kinds))
            ]


def pair(second: int, received_s: float | None = None, **options: Any) -> list[Sent]:
    """X-rays of a second, recorded an hour later by default."""
    received_s = second + HOUR_S if received_s is None else received_s
    return xrays(round(received_s * S), Exposure.noise(second), **options)


def views(received_s: float = HOUR_S) -> Sent:
    """Both optical frames on /tf_static."""
    return static(round(received_s * S), VIEWS_ON_TF)


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The lines that the user gets."""
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_every_pair_is_registered_in_order_from_the_result_before(storage: str, tmp_path: Path) -> None:
    replayed = Replayed(tmp_path, [views(), *pair(1), *pair(2), *pair(3)], storage=storage)
    assert replayed.seconds == [1, 2, 3]
    assert replayed.left_out == 0
    assert [outcome.all_registered for outcome in replayed.outcomes] == [True] * 3
    assert [start and start["L1"] for start in replayed.registration.starts] == [10, 11, 12]
    with opened_bag(replayed.path) as bag:
        assert bag.storage == storage


def test_results_follow_the_message_that_completed_the_pair(tmp_path: Path) -> None:
    replayed = Replayed(tmp_path, [views(), *pair(1)])
    complete_ns = (1 + HOUR_S) * S + 3_000_000
    assert [(received_ns, topic) for received_ns, topic, _ in replayed.written()] == [
        (HOUR_S * S, "/tf_static"),
        (HOUR_S * S, "/markers"),
        (HOUR_S * S, "/tf_static"),
        *[(received_ns, topic) for received_ns, topic, _, _ in pair(1)],
        *[
            (complete_ns, topic)
            for topic in (
                "/tf",
                "/vertebra_T12/measured_cp",
                "/vertebra_L1/measured_cp",
                "/vertebra_poses",
                "/markers",
                "/ap/overlay",
                "/lateral/overlay",
            )
        ],
    ]
    assert replayed.outcomes[0].received_ns == complete_ns


def test_all_outputs_tell_the_pose_at_the_stamp_of_the_acquisition(tmp_path: Path) -> None:
    replayed = Replayed(tmp_path, [views(), *pair(1)])
    ((_, _, poses),) = replayed.written("/vertebra_poses")
    assert (poses.header.frame_id, poses.header.stamp.sec) == ("carm_base", 1)
    ((_, _, tf),) = replayed.written("/tf")
    ((_, _, measured),) = replayed.written("/vertebra_L1/measured_cp")
    (level,) = (level for level in poses.vertebrae if level.label == "L1")
    (frame,) = (frame for frame in tf.transforms if frame.child_frame_id == "vertebra_L1")
    assert frame.header.stamp.sec == measured.header.stamp.sec == 1
    np.testing.assert_allclose(matrix_from_pose(level.ct_pose, ""), at(11), atol=1e-12)
    for matrix in (
        matrix_from_pose(level.pose, ""),
        matrix_from_transform(frame.transform, ""),
        matrix_from_pose(measured.pose, ""),
    ):
        np.testing.assert_allclose(matrix, at(16), atol=1e-12)
    static_frames = [t for _, _, message in replayed.written("/tf_static") for t in message.transforms]
    (below,) = (t for t in static_frames if t.child_frame_id == "vertebra_L1_ct")
    np.testing.assert_allclose(matrix_from_transform(below.transform, ""), at(-5), atol=1e-12)


def test_a_rejected_level_has_no_frame(tmp_path: Path) -> None:
    replayed = Replayed(tmp_path, [views(), *pair(1)], registration=StandInRegistration(rejects=("L1",)))
    assert not replayed.outcomes[0].all_registered and replayed.left_out == 0
    ((_, _, tf),) = replayed.written("/tf")
    assert [frame.child_frame_id for frame in tf.transforms] == ["vertebra_T12"]
    assert replayed.written("/vertebra_L1/measured_cp") == []
    ((_, _, poses),) = replayed.written("/vertebra_poses")
    assert [(level.status, level.reason) for level in poses.vertebrae] == [(1, ""), (0, "It is blurred.")]
    for pose in (poses.vertebrae[1].pose, poses.vertebrae[1].ct_pose):
        position, q = pose.position, pose.orientation
        assert np.isnan([position.x, position.y, position.z, q.x, q.y, q.z, q.w]).all(), "no place at all"


def test_a_rejected_level_is_shown_in_red_in_the_reference_frame_and_a_lost_one_is_not(tmp_path: Path) -> None:
    replayed = Replayed(
        tmp_path,
        [views(), *pair(1), *pair(2), *pair(3)],
        registration=StandInRegistration(needs_start=False, rejects=("L1",), lost=("T12",)),
    )
    *_, (_, _, array) = replayed.written("/markers")
    lost_surface, lost_text, surface, text = array.markers
    assert [(marker.ns, marker.action) for marker in (lost_surface, lost_text)] == [
        ("vertebra_T12", markers.DELETE)
    ] * 2
    for marker in (surface, text):
        assert (marker.ns, marker.action, marker.header.frame_id) == ("vertebra_L1", markers.ADD, "carm_base")
        assert marker.header.stamp.sec == 3
    assert surface.color.r > 0.8 and max(surface.color.g, surface.color.b) < 0.2 and 0 < surface.color.a < 0.6
    np.testing.assert_allclose(matrix_from_pose(surface.pose, ""), at(11), atol=1e-12)
    beside = at(16)  # of the vertebra's centre, which is 5 mm from the CT's origin
    beside[1, 3] = 60
    np.testing.assert_allclose(matrix_from_pose(text.pose, ""), beside, atol=1e-12)
    assert text.text == "L1 rejected"


def test_a_registered_level_is_shown_in_the_colour_of_bone_in_its_own_frames(tmp_path: Path) -> None:
    replayed = Replayed(tmp_path, [views(), *pair(1)], registration=StandInRegistration(rejects=("L1",)))
    *_, (_, _, array) = replayed.written("/markers")
    surface, text, *_ = array.markers
    assert [marker.header.frame_id for marker in (surface, text)] == ["vertebra_T12_ct", "vertebra_T12"]
    assert surface.color.g > 0.8 and surface.color.a > 0.8
    np.testing.assert_array_equal(matrix_from_pose(surface.pose, ""), np.eye(4))
    assert text.text == "T12  0.4 mm"


def test_poses_stand_whatever_becomes_of_the_pictures(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The overlays are drawn last; the pair after it starts where this one ended."""
    draw, drawn = result_messages.draw_overlay, []

    def draw_but_for_the_fourth_view(*arguments: Any) -> Any:
        drawn.append(1)
        if len(drawn) == 4:
            raise ValueError("no edge")
        return draw(*arguments)

    monkeypatch.setattr(result_messages, "draw_overlay", draw_but_for_the_fourth_view)
    replayed = Replayed(tmp_path, [views(), *pair(1), *pair(2), *pair(3)])
    assert [outcome.problem for outcome in replayed.outcomes] == [""] * 3
    assert replayed.left_out == 0 and all(outcome.all_registered for outcome in replayed.outcomes)
    assert [start and start["L1"] for start in replayed.registration.starts] == [10, 11, 12]
    assert told(caplog) == [
        "the pair of 2.000000000 s has no markers and overlays, they could not be made (ValueError: no edge)."
    ]
    for topic in ("/vertebra_L1/measured_cp", "/vertebra_poses"):
        assert [message.header.stamp.sec for _, _, message in replayed.written(topic)] == [1, 2, 3]
    for view in T_VIEWS:
        overlays = [message for _, _, message in replayed.written(f"/{view}/overlay")]
        assert [(o.header.stamp.sec, o.width) for o in overlays] == [(1, 64), (2, 1), (3, 64)]
    arrays = [message.markers for _, _, message in replayed.written("/markers")]
    assert [array[0].action for array in arrays[1:]] == [markers.ADD, markers.DELETEALL, markers.ADD]


def test_poses_are_written_as_a_whole_or_not_at_all(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are made last; the pair after it starts where this one did, and is registered all the same."""
    make, made = ResultMessages._vertebra_poses, []

    def make_but_once(*arguments: Any) -> Any:
        made.append(1)
        if len(made) == 1:
            raise ValueError("no pose")
        return make(*arguments)

    monkeypatch.setattr(ResultMessages, "_vertebra_poses", make_but_once)
    replayed = Replayed(tmp_path, [views(), *pair(1), *pair(2)])
    problem = "it failed unexpectedly (ValueError: no pose)."
    assert [outcome.problem for outcome in replayed.outcomes] == [problem, ""]
    assert replayed.left_out == 1
    assert told(caplog) == [f"the pair of 1.000000000 s is left out: {problem}"]
    assert "in make_but_once" in caplog.text, "where it came from is told, too"
    for topic in ("/tf", "/vertebra_L1/measured_cp", "/vertebra_poses", "/ap/overlay"):
        ((_, _, message),) = replayed.written(topic)
        header = message.transforms[0].header if topic == "/tf" else message.header
        assert header.stamp.sec == 2, topic
    assert [start and start["L1"] for start in replayed.registration.starts] == [10, 10]


def test_xrays_and_transforms_are_copied_as_they_are_and_earlier_results_are_not(tmp_path: Path) -> None:
    robot = moving(HOUR_S * S, S, {"tool": at(3)}, "robot_base")
    earlier = [
        moving(HOUR_S * S, S, {"vertebra_L1": at(99)}),
        static(HOUR_S * S, {"vertebra_L1_ct": at(98)}, "vertebra_L1"),
    ]
    sent = [views(), robot, *earlier, initialpose(HOUR_S * S, at(10)), *pair(1)]
    replayed = Replayed(tmp_path, sent)
    copied = {views()[1], "/ap/image", "/lateral/image", "/ap/camera_info", "/lateral/camera_info"}
    with opened_bag(replayed.path) as bag:
        written = [(m.received_ns, m.topic, m.data) for m in bag.messages(list(bag.kinds))]
    for received_ns, topic, kind, message in sent:
        expected = message is robot[3] or (topic in copied and message is not earlier[1][3])
        assert ((received_ns, topic, MESSAGES.serialised(kind, message)) in written) is expected, topic
    assert "/initialpose" not in bag.kinds


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    for storage in ("mcap", "sqlite3"):
        sent = [views(), initialpose(HOUR_S * S, at(10)), *pair(1), *pair(2)]
        folders = [tmp_path / storage / name for name in ("one", "other")]
        for folder in folders:
            folder.mkdir(parents=True)
            Replayed(folder, sent, storage=storage)
        one, other = ({file.name: file.read_bytes() for file in (f / "replayed").iterdir()} for f in folders)
        assert one == other


def test_static_frames_that_come_late_count_for_earlier_pairs(tmp_path: Path) -> None:
    replayed = Replayed(tmp_path, [*pair(1), *pair(2), views(HOUR_S + 60)])
    assert replayed.seconds == [1, 2] and replayed.left_out == 0


def test_a_static_frame_that_is_sent_anew_counts_from_then_on(tmp_path: Path) -> None:
    shifted = {frame: at(-30) @ T for frame, T in VIEWS_ON_TF.items()}
    replayed = Replayed(tmp_path, [views(), *pair(1), static((HOUR_S + 1) * S + S // 2, shifted), *pair(2)])
    places = [geometry.views["ap"].source_mm[0] for geometry in replayed.registration.geometries]
    assert places == pytest.approx([0, -30])


def test_a_moving_carm_has_the_place_of_each_image_s_own_stamp(tmp_path: Path) -> None:
    """One C-arm that is turned between shots, minutes apart."""
    stops = ((10, "ap"), (20, "ap"), (400, "lateral"), (410, "lateral"))
    turned = [moving(second * S, second * S, {"optical": T_VIEWS[view]}) for second, view in stops]
    ap, lateral = Exposure.noise(15), Exposure.noise(405)
    for view, exposure in (("ap", ap), ("lateral", lateral)):
        exposure.images[view].header.frame_id = exposure.infos[view].header.frame_id = "optical"
    shots = [*xrays(16 * S, ap, views=["ap"]), *xrays(406 * S, lateral, views=["lateral"])]
    sent = sorted([*turned, *shots], key=lambda message: message[0])
    replayed = Replayed(tmp_path, sent, dataclasses.replace(SETTINGS, sync_mode="latest"))
    assert replayed.seconds == [405]
    (geometry,) = replayed.registration.geometries
    for view, T in T_VIEWS.items():
        np.testing.assert_allclose(geometry.views[view].T_reference_camera, T, atol=1e-9)


def test_a_start_in_a_moving_frame_has_the_place_of_its_own_stamp(tmp_path: Path) -> None:
    """Between samples that no image needs."""
    cart = [moving((HOUR_S + s) * S, s * S, {"cart": at(10 * s)}) for s in range(9)]
    start = initialpose((HOUR_S + 2) * S, at(1), frame="cart", stamp_ns=3 * S + S // 2)
    sent = sorted([views(), *cart, start, *pair(7)], key=lambda message: message[0])
    replayed = Replayed(tmp_path, sent, WITHOUT_START)
    assert [start and start["T12"] for start in replayed.registration.starts] == pytest.approx([36])


def test_a_looped_recording_gives_every_pair_of_every_loop(tmp_path: Path) -> None:
    loops = []
    for begin_s in (HOUR_S, HOUR_S + 100):
        loops += [moving((begin_s + s) * S, s * S, VIEWS_ON_TF) for s in (0, 5)]
        loops += [message for s in (1, 4) for message in pair(s, begin_s + s)]
    replayed = Replayed(tmp_path, sorted(loops, key=lambda message: message[0]))
    assert replayed.seconds == [1, 4, 1, 4] and replayed.left_out == 0


def test_an_image_has_no_partner_from_before_time_jumped_back(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    begin, again = HOUR_S, HOUR_S + 100
    sent = [
        views(begin),
        clock(begin * S, 1 * S),
        *pair(5, begin + 5, views=["ap"]),
        clock((begin + 6) * S, 6 * S),
        clock(again * S, 1 * S),
        clock((again + 4) * S, 4 * S),
        *pair(5, again + 5, views=["lateral"]),
        *pair(7, again + 7),
    ]
    replayed = Replayed(tmp_path, sent)
    assert replayed.seconds == [7]
    assert told(caplog) == []


@pytest.mark.parametrize("clocked", [True, False])
def test_a_result_is_taken_back_where_time_jumps_back(clocked: bool, tmp_path: Path) -> None:
    """As live, at once: also where nothing comes after the last jump."""
    begin, again, end = HOUR_S, HOUR_S + 100, HOUR_S + 200
    now = [(begin, 0), (begin + 5, 5), (again, 0), (again + 5, 5), (end, 2)]
    sent = [clock(at_s * S, s * S) if clocked else moving(at_s * S, s * S, {"gantry": at(0)}) for at_s, s in now]
    sent += [views(begin), *pair(1), *pair(2, again + 2)]
    replayed = Replayed(tmp_path, sorted(sent, key=lambda message: message[0]))
    assert replayed.seconds == [1, 2]
    poses = [(received_ns, len(message.vertebrae)) for received_ns, _, message in replayed.written("/vertebra_poses")]
    results = [outcome.received_ns for outcome in replayed.outcomes]
    assert poses == [(results[0], 2), (again * S, 0), (results[1], 2), (end * S, 0)]
    arrays = [(received_ns, message.markers[0].action) for received_ns, _, message in replayed.written("/markers")]
    assert arrays[1:] == [(ns, markers.ADD if levels else markers.DELETEALL) for ns, levels in poses]
    for view in T_VIEWS:
        overlays = [(received_ns, message.width) for received_ns, _, message in replayed.written(f"/{view}/overlay")]
        assert overlays == [(ns, 64 if levels else 1) for ns, levels in poses]
    taken_back = [message.header for _, _, message in replayed.written("/vertebra_poses") if not message.vertebrae]
    assert {header.frame_id for header in taken_back} == {"carm_base"}
    assert [header.stamp.sec for header in taken_back] == ([0, 2] if clocked else [again, end])


def test_what_was_sent_before_time_went_back_makes_no_pair(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """As live: the last images of a run come after the /clock of the next one."""
    begin, again = HOUR_S, HOUR_S + 100
    sent = [
        views(begin),
        *(clock((begin + s) * S, s * S) for s in (1, 6)),
        clock(again * S, 1 * S),
        *pair(6, again + 0.5),
        *pair(1, again + 1),
        clock((again + 4) * S, 4 * S),
        *pair(6, again + 5),
    ]
    replayed = Replayed(tmp_path, sent)
    assert replayed.seconds == [1, 6]
    assert replayed.left_out == 4
    assert told(caplog) == [
        f"6.000000000 s: {topic} is left out: it was sent before the time went back." for _, topic, _, _ in pair(6)
    ]
    assert len(replayed.written("/ap/image")) == 3, "they are copied as they are"


@pytest.mark.parametrize(("prefix", "reference"), [("", "vertebra_L1"), ("left/", "left/vertebra_T12_ct")])
def test_a_frame_of_the_results_cannot_be_the_reference_frame(prefix: str, reference: str, tmp_path: Path) -> None:
    settings = dataclasses.replace(SETTINGS, reference=reference, frame_prefix=prefix)
    with pytest.raises(InputError, match=rf"^{reference} cannot be the reference frame: .*\.$"):
        Replayed(tmp_path, [views(), *pair(1)], settings)


def test_a_pair_without_transforms_is_left_out_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    frames = [moving((HOUR_S + s) * S, s * S, VIEWS_ON_TF) for s in (2, 4)]
    sent = sorted([*frames, *pair(1), *pair(3), *pair(5)], key=lambda message: message[0])
    replayed = Replayed(tmp_path, sent)
    assert replayed.seconds == [1, 3, 5]
    assert [outcome.result is None for outcome in replayed.outcomes] == [True, False, True]
    assert replayed.left_out == 2
    first, last = told(caplog)
    assert first.startswith("the pair of 1.000000000 s is left out: the transform carm_base <- ap_optical is known")
    assert replayed.outcomes[0].problem in first and replayed.outcomes[2].problem in last
    assert len(replayed.written("/vertebra_poses")) == 1


@pytest.mark.parametrize("sync_mode", ["latest", "approximate"])
def test_an_image_that_comes_late_is_left_out_with_a_warning(
    sync_mode: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    late = [message for message in pair(1, HOUR_S + 3) if message[1] == "/ap/image"]
    replayed = Replayed(tmp_path, [views(), *pair(2), *late], dataclasses.replace(SETTINGS, sync_mode=sync_mode))
    assert replayed.seconds == [2]
    assert replayed.left_out == 1
    (warning,) = told(caplog)
    assert warning.startswith("1.000000000 s: ap/image of 1.000000000 s is older than an image that came before it")


def spoil(second: int, view: str, **header: Any) -> list[Sent]:
    exposure = Exposure.noise(second)
    for name, value in header.items():
        setattr(exposure.images[view], name, value)
    return xrays((second + HOUR_S) * S, exposure)


def test_a_message_that_cannot_be_used_is_left_out_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bad = [*spoil(1, "ap", encoding="rgb8"), *pair(2), *spoil(3, "lateral", encoding="bgr8"), *pair(4)]
    replayed = Replayed(tmp_path, [views(), *bad])
    assert replayed.seconds == [2, 4]
    assert replayed.left_out == 2
    assert [line.split(";")[0] for line in told(caplog)] == [
        "1.000000000 s: ap/image: the encoding 'rgb8' is not an X-ray's",
        "3.000000000 s: lateral/image: the encoding 'bgr8' is not an X-ray's",
    ]


def test_a_camera_info_that_cannot_be_used_is_one_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    distorted = Exposure.noise(2)
    distorted.infos["ap"].d = np.full(5, 0.1)
    replayed = Replayed(tmp_path, [views(), *pair(1), *xrays((2 + HOUR_S) * S, distorted), *pair(3)])
    assert replayed.seconds == [1, 3]
    assert replayed.left_out == 1
    (warning,) = told(caplog)
    assert warning.startswith("2.000000000 s: ap/camera_info: the camera has lens distortion")


def test_a_pair_that_cannot_be_used_is_one_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    narrow = {"width": 32, "step": 64, "data": np.ones(64 * 64, np.uint8)}
    sent = [views(), *spoil(1, "ap", **narrow), *pair(2), *spoil(3, "ap", **narrow), *spoil(4, "ap", **narrow)]
    replayed = Replayed(tmp_path, sent)
    assert replayed.seconds == [2]
    assert replayed.left_out == 3
    assert [line.split(" but")[0] for line in told(caplog)] == [
        f"the pair of {second}.000000000 s is left out: ap/image is 32x64 pixels," for second in (1, 3, 4)
    ]


def test_an_initialpose_counts_from_when_it_came(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    sent = [
        views(),
        *pair(1),
        initialpose((HOUR_S + 1) * S + S // 2, at(30)),
        *pair(2),
        *pair(3),
        initialpose((HOUR_S + 3) * S + S // 2, at(60)),
        *pair(4),
    ]
    replayed = Replayed(tmp_path, sent, WITHOUT_START)
    assert [outcome.result is None for outcome in replayed.outcomes] == [True, False, False, False]
    assert [start and start["T12"] for start in replayed.registration.starts] == pytest.approx([30, 31, 60])
    (warning,) = told(caplog)
    assert warning.startswith("the pair of 1.000000000 s is left out: there is no start")


def test_an_initialpose_in_a_moving_frame_is_placed_when_it_comes(tmp_path: Path) -> None:
    """As live, where TF has forgotten it by the time of the pair: what is sent in its stead later does not count."""
    table = [moving((HOUR_S + s) * S, s * S, {"table": at(100)}) for s in (0, 2)]
    shift, again = (
        static(HOUR_S * S, {"mattress": at(5)}, "table"),
        static((HOUR_S + 3) * S, {"mattress": at(7)}, "table"),
    )
    start = initialpose((HOUR_S + 1) * S, at(10), "mattress", S)
    replayed = Replayed(tmp_path, [views(), shift, table[0], start, table[1], again, *pair(60)], WITHOUT_START)
    assert replayed.registration.starts == [pytest.approx({"T12": 115, "L1": 115})]


def test_an_initialpose_that_cannot_be_used_is_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Replayed(tmp_path, [views(), initialpose(HOUR_S * S, at(30), frame=""), *pair(1)])
    (warning,) = told(caplog)
    assert warning.startswith("received at 3600.000000000 s: /initialpose: header.frame_id is empty")


def test_a_namespace_is_that_of_inputs_and_results(tmp_path: Path) -> None:
    settings = dataclasses.replace(SETTINGS, namespace="/theatre/")
    replayed = Replayed(tmp_path, [views(), *pair(1, namespace="/theatre")], settings)
    topics = {topic for _, topic, _ in replayed.written()}
    assert {"/theatre/vertebra_poses", "/theatre/ap/overlay", "/theatre/ap/image", "/tf", "/tf_static"} <= topics
    assert "/vertebra_poses" not in topics


def test_a_prefix_is_that_of_the_vertebra_frames(tmp_path: Path) -> None:
    replayed = Replayed(tmp_path, [views(), *pair(1)], dataclasses.replace(SETTINGS, frame_prefix="left/"))
    frames = {label: f"left/vertebra_{label}" for label in LEVELS}
    ((_, _, tf),) = replayed.written("/tf")
    assert {(t.header.frame_id, t.child_frame_id) for t in tf.transforms} == {
        ("carm_base", frame) for frame in frames.values()
    }
    below = [t for _, _, message in replayed.written("/tf_static") for t in message.transforms]
    assert {(t.header.frame_id, t.child_frame_id) for t in below if t.header.frame_id != "carm_base"} == {
        (frame, f"{frame}_ct") for frame in frames.values()
    }
    _, (_, _, shown) = replayed.written("/markers")
    assert {marker.header.frame_id for marker in shown.markers} == {
        name for frame in frames.values() for name in (frame, f"{frame}_ct")
    }
    ((_, _, poses),) = replayed.written("/vertebra_poses")
    assert (poses.header.frame_id, {level.label for level in poses.vertebrae}) == ("carm_base", set(LEVELS))


def test_earlier_results_are_those_with_the_prefix(tmp_path: Path) -> None:
    """Those of another system on the same TF tree are not replaced, and stay."""
    own, other = (moving(HOUR_S * S, S, {f"{prefix}vertebra_L1": at(99)}) for prefix in ("left/", "right/"))
    sent = [views(), own, other, *pair(1)]
    replayed = Replayed(tmp_path, sent, dataclasses.replace(SETTINGS, frame_prefix="left/"))
    frames = [t for _, _, message in replayed.written("/tf") for t in message.transforms]
    assert [t.child_frame_id for t in frames].count("right/vertebra_L1") == 1
    (result,) = (t for t in frames if t.child_frame_id == "left/vertebra_L1")
    np.testing.assert_allclose(matrix_from_transform(result.transform, ""), at(16), atol=1e-12)


def test_the_slop_decides_what_is_a_pair(tmp_path: Path) -> None:
    late = Exposure.noise(1)
    for message in (late.images["lateral"], late.infos["lateral"]):
        message.header.stamp.nanosec = 80_000_000
    sent = [views(), *xrays(HOUR_S * S, late)]
    wide = dataclasses.replace(SETTINGS, sync_slop_s=0.1)
    (tmp_path / "wide").mkdir()
    assert Replayed(tmp_path / "wide", sent, wide).seconds == [1.08]
    with pytest.raises(InputError, match=r"bag: there is no pair of X-rays.* within sync_slop_s"):
        Replayed(tmp_path, sent)
    assert not (tmp_path / "replayed").exists()


COMPRESSED = dataclasses.replace(SETTINGS, image_transport="compressed")


def test_compressed_images_are_the_same_pixels_and_give_the_same_bytes(tmp_path: Path) -> None:
    sent = [views(), *pair(1), *pair(2)]
    for name in ("raw", "compressed"):
        (tmp_path / name).mkdir()
    raw = Replayed(tmp_path / "raw", sent)
    compressed = Replayed(tmp_path / "compressed", list(map(as_png, sent)), COMPRESSED)
    assert len(raw.registration.images) == 2
    for one, other in zip(raw.registration.images, compressed.registration.images, strict=True):
        for view in T_VIEWS:
            assert one[view].dtype == other[view].dtype
            np.testing.assert_array_equal(one[view], other[view])

    def bytes_of(replayed: Replayed, *left_out: str) -> list[tuple[int, str, bytes]]:
        with opened_bag(replayed.path) as bag:
            return [(m.received_ns, m.topic, m.data) for m in bag.messages([t for t in bag.kinds if t not in left_out])]

    assert bytes_of(compressed, "/ap/image/compressed", "/lateral/image/compressed") == bytes_of(
        raw, "/ap/image", "/lateral/image"
    )
    with opened_bag(compressed.path) as bag:
        copied = [m.data for m in bag.messages(["/ap/image/compressed", "/lateral/image/compressed"])]
    assert copied == [
        MESSAGES.serialised(kind, message)
        for _, topic, kind, message in map(as_png, sent)
        if topic.endswith("compressed")
    ]


@pytest.mark.parametrize(("settings", "second"), [(SETTINGS, 1), (COMPRESSED, 2)], ids=["raw", "compressed"])
def test_of_a_recording_of_both_those_are_read_that_were_asked_for(
    settings: ReplaySettings, second: int, tmp_path: Path
) -> None:
    """As the node, which listens to one of the two; they may show different X-rays."""
    sent = [views(), *pair(1), *map(as_png, pair(2))]
    replayed = Replayed(tmp_path, sorted(sent, key=lambda message: message[0]), settings)
    assert replayed.seconds == [second] and replayed.left_out == 0
    suffix, other = ("", "/compressed") if second == 1 else ("/compressed", "")
    topics = {topic for _, topic, _ in replayed.written()}
    for view in T_VIEWS:
        assert f"/{view}/image{suffix}" in topics and f"/{view}/image{other}" not in topics


@pytest.mark.parametrize(("settings", "there"), [(SETTINGS, "compressed"), (COMPRESSED, "raw")])
def test_images_that_came_the_other_way_are_named(settings: ReplaySettings, there: str, tmp_path: Path) -> None:
    sent = [views(), *(pair(1) if there == "raw" else map(as_png, pair(1)))]
    with pytest.raises(
        InputError,
        match=rf"bag has no messages on /ap/image.*; give --image-transport {there}, as its images were recorded\.$",
    ):
        Replayed(tmp_path, sent, settings)


def test_a_compressed_image_that_cannot_be_used_is_named_by_its_topic(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bad = list(map(as_png, pair(1)))
    for _, topic, _, message in bad:
        if topic == "/ap/image/compressed":
            message.format = "mono16; jpeg compressed "
    replayed = Replayed(tmp_path, [views(), *bad, *map(as_png, pair(2))], COMPRESSED)
    assert replayed.seconds == [2] and replayed.left_out == 1
    (warning,) = told(caplog)
    assert warning.startswith("1.000000000 s: ap/image/compressed: the format 'mono16; jpeg compressed ' is not read")


@pytest.mark.parametrize("missing", ["/ap/image", "/lateral/camera_info"])
def test_topics_that_are_missing_are_named(missing: str, tmp_path: Path) -> None:
    sent = [message for message in [views(), *pair(1)] if message[1] != missing]
    with pytest.raises(
        InputError, match=rf"bag has no messages on {missing}, only .*/tf_static \(1\); give --namespace"
    ):
        Replayed(tmp_path, sent)


def test_missing_transforms_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no messages on /tf or /tf_static"):
        Replayed(tmp_path, pair(1))


def test_a_topic_of_another_type_is_named(tmp_path: Path) -> None:
    others = {"/ap/image": "/ap/camera_info", "/ap/camera_info": "/ap/image"}
    swapped = [(received_ns, others.get(topic, topic), *message) for received_ns, topic, *message in pair(1)]
    words = "/ap/image has the type sensor_msgs/msg/CameraInfo, but only sensor_msgs/msg/Image is read"
    with pytest.raises(InputError, match=words):
        Replayed(tmp_path, [views(), *swapped])  # type: ignore[list-item]


def test_no_start_at_all_is_said_before_anything_is_done(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no start on /initialpose.*--initial poses\.json"):
        Replayed(tmp_path, [views(), *pair(1)], WITHOUT_START)


def test_networks_need_no_start(tmp_path: Path) -> None:
    registration = StandInRegistration(needs_start=False)
    replayed = Replayed(tmp_path, [views(), *pair(1), *pair(2)], WITHOUT_START, registration)
    assert registration.starts == [None, None] and replayed.seconds == [1, 2]


def test_a_message_that_is_not_of_its_type_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    serialised = type(MESSAGES).serialised

    def cut(self: Any, kind: str, message: Any) -> bytes:
        data = serialised(self, kind, message)
        return data[:-7] if kind == IMAGE else data

    with monkeypatch.context() as patched:
        patched.setattr(type(MESSAGES), "serialised", cut)
        write_bag(tmp_path / "bag", [views(), *pair(1)])
    monkeypatch.setattr("test_replay.write_bag", lambda path, sent, storage: path)
    with pytest.raises(
        InputError, match=r"the message on /ap/image that was received at 3601002000000 ns is no sensor_msgs/msg/Image"
    ):
        Replayed(tmp_path, [])
