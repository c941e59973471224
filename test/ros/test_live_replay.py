"""A recording that is played to the node: /tf_static comes late, and time goes back where the recording is looped."""

from collections.abc import Collection

import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from player import Player
from radgs_reg.msg import VertebraPoseArray
from recorded_run import BEGIN_S, FIRST_S, MESSAGES, SECOND_S, S, record_run
from small_case import LEVELS
from tf2_msgs.msg import TFMessage

from radgs_core.acquisition.pairing import VIEWS
from radgs_core.case import Case
from radgs_core.io.bag_reader import opened_bag
from radgs_core.io.bag_writer import written_bag
from radgs_core.messages.topics import TF, TF_STATIC
from radgs_core.registration.pipeline import SpineRegistration
from radgs_core.replay.replay import Replay
from radgs_core.replay.settings import ReplaySettings
from radgs_reg_ros import qos

NODE = "/registration_node"
AP = ["/ap/camera_info", "/ap/image"]
LONG = 60.0


class Run:
    """The node and its player; each test goes on where the one before it stopped."""

    def __init__(self, remote, diagnostics, player: Player) -> None:
        self.remote, self.diagnostics, self.player = remote, diagnostics, player
        self.poses = remote.listen(VertebraPoseArray, "/vertebra_poses", qos.last_result())
        self.tf = remote.listen(TFMessage, "/tf", qos.tf())
        self.jumps = 0

    def register(self):
        return self.remote.trigger(f"{NODE}/register", LONG)

    def play(self, second: int, without: Collection[str] = ()) -> None:
        """Send what was recorded at a second, when the node has that time: /clock is a topic of its own."""
        since = self.diagnostics.mark()
        self.player.set_time(second)
        self.diagnostics.wait_for_time(second, since)
        self.player.send(second, without)

    def wait_for_pair(self, second: int, since: int) -> None:
        """Both images: while one of them is new, it is a pair with the other view's latest one."""

        def is_of_this_second(entry: DiagnosticStatus) -> bool:
            stamps = {value.key: value.value for value in entry.values}
            return all(stamps.get(view, "").startswith(f"{second}.") for view in VIEWS)

        self.diagnostics.wait("pair", is_of_this_second, f"both images of {second} s", since)

    def go_back(self, second: int) -> str:
        """Time goes back; returns what the node says of that."""
        self.jumps += 1
        self.player.set_time(second)
        return self.diagnostics.wait_for_value("time", "jumps", lambda jumps: jumps == str(self.jumps)).message

    def result_stamps(self) -> set[int]:
        """Seconds of all results so far."""
        return {poses.header.stamp.sec for poses in self.results()}

    def results(self) -> list[VertebraPoseArray]:
        """Without those that only say that there is none, or none any more."""
        return [poses for poses in self.poses if poses.vertebrae]

    def frame_stamps(self) -> list[int]:
        """Seconds of all vertebra frames so far, in the order in which they came."""
        sent = [t for message in self.tf for t in message.transforms if t.child_frame_id.startswith("vertebra_")]
        return [transform.header.stamp.sec for transform in sent]


@pytest.fixture(scope="module")
def run(start_node, remote, diagnostics, case_folder, tmp_path_factory):
    options = {"case": str(case_folder), "use_sim_time": True, "sync_mode": "latest", "tf_timeout_s": 0.3}
    remote.watch(start_node("registration_node", **options))
    remote.bring_up([NODE], LONG)
    recording = record_run(case_folder, tmp_path_factory.mktemp("recordings") / "run")
    return Run(remote, diagnostics, Player(remote, recording))


def test_without_tf_static_frame_and_topic_are_named_before_anybody_asks(run):
    since = run.diagnostics.mark()
    run.play(BEGIN_S, without=[TF_STATIC])
    run.play(FIRST_S)
    for view in VIEWS:
        told = run.diagnostics.wait(
            f"{view}/transform", lambda s: s.level == DiagnosticStatus.WARN, "no transform", since
        )
        assert f"{view}/image" in told.message
        assert f"carm_base <- {view}_optical" in told.message
        assert "/tf_static" in told.message
    run.wait_for_pair(FIRST_S, since)
    assert "carm_base <- ap_optical" in run.register().message
    assert run.results() == []


def test_a_pair_is_registered_once_its_late_tf_static_has_come(run):
    run.player.send_only(BEGIN_S, [TF_STATIC])
    run.remote.wait_for(lambda: run.register().success, "a registration with /tf_static", LONG)
    run.remote.wait_for(lambda: run.result_stamps() == {FIRST_S}, "the first result", LONG)
    since = run.diagnostics.mark()
    run.play(SECOND_S)
    for view in VIEWS:
        run.diagnostics.wait_for_value(f"{view}/transform", "stamp", lambda s: s.startswith(f"{SECOND_S}."), since)
        assert run.diagnostics.entries(f"{view}/transform", since)[-1].level == DiagnosticStatus.OK
    run.wait_for_pair(SECOND_S, since)
    assert run.register().success
    run.remote.wait_for(lambda: SECOND_S in run.result_stamps(), "the second result", LONG)


def test_time_that_goes_back_is_told_and_leaves_no_pair(run):
    assert "the time went back by 20.000 s" in run.go_back(BEGIN_S)
    answer = run.register()
    assert not answer.success
    assert "no pair of X-rays yet" in answer.message


def test_the_first_shot_after_it_makes_no_pair_with_an_older_one(run):
    since = run.diagnostics.mark()
    run.player.send_only(FIRST_S, AP)
    run.diagnostics.wait("pair", lambda s: "nothing has come on lateral/image" in s.message, "one view", since)
    assert "nothing has come on lateral/image" in run.register().message


def test_places_of_before_are_forgotten(run):
    """The gantry is not where it was at the same stamp of the run before; only a new sample says where it is."""
    since = run.diagnostics.mark()
    run.play(FIRST_S, without=[TF])
    run.wait_for_pair(FIRST_S, since)
    answer = run.register()
    assert not answer.success
    assert "carm_base <- ap_optical" in answer.message or "carm_base <- lateral_optical" in answer.message


def test_the_looped_recording_is_registered_with_its_own_stamps(run):
    run.go_back(BEGIN_S)
    run.poses.clear()
    run.tf.clear()
    for second in (FIRST_S, SECOND_S):
        since = run.diagnostics.mark()
        run.play(second)
        run.wait_for_pair(second, since)
        assert run.register().success
        run.remote.wait_for(lambda second=second: second in run.result_stamps(), "the result", LONG)
    run.remote.wait_for(lambda: run.frame_stamps() == [FIRST_S] * 2 + [SECOND_S] * 2, "frames of both levels", LONG)
    assert [poses.header.stamp.sec for poses in run.results()] == [FIRST_S, SECOND_S]


def test_what_was_sent_before_time_went_back_is_left_out(run):
    """Topics overtake each other: the last images of a run may come after the /clock of the next one."""
    run.go_back(BEGIN_S)
    since = run.diagnostics.mark()
    run.player.send_only(SECOND_S, [TF, *AP, "/lateral/camera_info", "/lateral/image"])
    for view in VIEWS:
        run.diagnostics.wait(f"{view}/image", lambda s: "left out" in s.message, "left out", since)
    assert "no pair of X-rays yet" in run.register().message
    run.play(FIRST_S)  # a sample of /tf from before must not expire those that come now
    run.wait_for_pair(FIRST_S, since)
    assert run.register().success


def test_offline_the_same_pairs_are_registered(run, case_folder, tmp_path):
    """All that was sent above, jumps and late messages included; only that offline no pair waits to be asked for."""
    with written_bag(tmp_path / "sent", "mcap", MESSAGES.types, {}) as writer:
        for message in run.player.sent:
            writer.write(message.topic, message.kind, 10, False, message.received_ns, message.data)
    case = Case.load(case_folder)
    settings = ReplaySettings(levels=LEVELS, sync_mode="latest")
    with opened_bag(tmp_path / "sent") as bag, written_bag(tmp_path / "out", "mcap", MESSAGES.types, {}) as writer:
        outcomes = Replay(bag, case, SpineRegistration(case), settings).run(writer, lambda fraction, message: None)
    of_one_second = [outcome for outcome in outcomes if len(set(outcome.stamps_ns.values())) == 1]
    registered = [outcome.stamp_ns // S for outcome in of_one_second if outcome.all_registered]
    # late /tf_static, the loop, and the run with messages of before; without /tf there was no result
    assert registered == [FIRST_S, SECOND_S, FIRST_S, SECOND_S, FIRST_S]
    assert [outcome.stamp_ns // S for outcome in of_one_second if outcome.result is None] == [FIRST_S]
    with opened_bag(tmp_path / "out") as replayed:
        poses = [MESSAGES.read(m.kind, m.data, "") for m in replayed.messages(["/vertebra_poses"])]
    taken_back = [each.header.stamp.sec for each in poses if not each.vertebrae]
    assert taken_back == [BEGIN_S] * run.jumps, "where time went back"
