"""What becomes of a result whose registration was given up, but that comes nevertheless."""

import threading
from collections.abc import Iterator

import pytest
from held_registration import FRAMES, LONG, NOTHING, RESULT, HeldNode, held_node, wait_for
from rclpy.executors import MultiThreadedExecutor
from std_srvs.srv import Trigger
from told_lock import ToldLock
from xray_source import Exposure

from radgs_core.registration.pipeline import InputError

JUMP = "the time went back by 20.000 s"


@pytest.fixture
def node(domain, case_folder, monkeypatch) -> Iterator[HeldNode]:
    with held_node(domain, case_folder, monkeypatch) as node:
        yield node


def reactivate(node: HeldNode) -> str:
    node.trigger_deactivate()
    node.trigger_activate()
    node.sent.clear()
    return "the node was deactivated"


def go_back(node: HeldNode) -> str:
    node._on_jump(JUMP)
    node.sent.clear()
    return f"{JUMP}, and the pair is of before that."


def test_a_result_that_is_wanted_is_sent_on_every_topic(node):
    answer = node.register(1000)
    node.registration.open.release()
    assert answer.result(LONG).success
    assert "registered 2 of 2 levels of the X-rays of 1000.000000000 s in " in answer.result(LONG).message
    wait_for(lambda: node.sent == RESULT, "pictures")


def test_calls_that_come_meanwhile_are_answered_with_the_newest_pair(node):
    """One thread runs them all, and none of them keeps it."""
    first = node.register(1000)
    later = []
    for second in (1001, 1002):
        node.take(Exposure.good(second))
        later.append(node.call())
        wait_for(lambda: len(node._worker._pending.waiting if node._worker._pending else []) == len(later), "the call")
    node.registration.open.release()
    assert first.result(LONG).success
    assert not any(answer.done() for answer in later)
    node.registration.open.release()
    assert all(answer.result(LONG).success for answer in later)
    assert len(node.registration.starts) == 2, "the pair between was left out"
    assert node.told("registration").values[0].value.startswith("1002.")


def test_calls_at_once_come_in_beside_each_other(node, remote):
    """More than the executor has threads, on the real service, while the first one is not answered yet."""
    first = node.register(1000)
    executor = MultiThreadedExecutor(num_threads=2)
    own = node.executor
    executor.add_node(node)
    spinner = threading.Thread(target=executor.spin)
    spinner.start()
    client = remote.node.create_client(Trigger, "/registration_node/register")
    remote.wait_for(client.service_is_ready, "the service", LONG)
    answers = [client.call_async(Trigger.Request()) for _ in range(3)]
    wait_for(lambda: node._worker._pending is not None and len(node._worker._pending.waiting) == 3, "the calls")
    assert not first.done()
    node.registration.open.release(2)
    remote.wait_for(lambda: all(answer.done() for answer in answers), "the answers", LONG)
    assert all(answer.result().success for answer in answers) and first.result(LONG).success
    executor.shutdown()
    spinner.join(LONG)
    node.executor = own
    remote.node.destroy_client(client)


@pytest.mark.parametrize("give_up", [reactivate, go_back])
def test_nothing_of_a_result_that_was_given_up_is_sent_although_the_node_is_active(give_up, node):
    answer = node.register(1000)
    why = give_up(node)
    assert (answer.result(LONG).success, answer.result(LONG).message) == (False, why)
    node.registration.open.release()
    wait_for(node.says("cancelled"), "the end of the registration")
    assert node.sent == []
    answer = node.register(1001)
    node.registration.open.release()
    assert answer.result(LONG).success
    wait_for(lambda: node.sent == RESULT, "the next result")


def test_when_time_goes_back_the_last_result_is_taken_back_also_one_that_is_being_sent(node, monkeypatch):
    """Its stamp is of a time that is still to come, and who comes late would get it."""
    answer = node.register(1000)
    jump = threading.Thread(target=node._on_jump, args=(JUMP,))
    node._publishing = lock = ToldLock()

    def send(outgoing) -> None:
        if not node.sent:
            jump.start()
            wait_for(lambda: lock.waited_for.is_set() or not jump.is_alive(), "the jump")
        node.sent.append(outgoing.output.topic)

    monkeypatch.setattr(node._publisher, "_send", send)
    node.registration.open.release()
    assert answer.result(LONG).success, "it was sent"
    jump.join(LONG)
    wait_for(node.idle, "the end of all work")
    assert node.sent == [*FRAMES, *NOTHING]
    assert node.told("pictures") is None


INPUTS = [f"{view}/{name}" for view in ("ap", "lateral") for name in ("image", "camera_info", "transform")]


@pytest.mark.parametrize("give_up", [lambda node: node.trigger_deactivate(), go_back])
def test_diagnostics_of_inputs_end_with_them(give_up, node):
    node.take(Exposure.good(1000))
    wait_for(lambda: all(map(node.told, [*INPUTS, "pair"])), "what is said of inputs")
    give_up(node)
    assert not any(map(node.told, [*INPUTS, "pair"]))
    assert node.told("start") and node.told("lifecycle")


def test_a_publisher_that_does_not_fit_is_still_warned_of_when_time_goes_back(node):
    node._intake._on_incompatible("ap/image", None)
    go_back(node)
    assert "offers best effort only" in node.told("ap/image").message
    node.trigger_deactivate()
    assert node.told("ap/image") is None


def test_a_registration_that_ends_after_cleanup_says_nothing(node):
    node.register(1000)
    registration = node.registration
    node.trigger_deactivate()
    node.trigger_cleanup()
    assert list(node.diagnostics._entries) == ["lifecycle"]
    registration.open.release()
    wait_for(lambda: node._worker._running is None, "the end of the registration")
    assert list(node.diagnostics._entries) == ["lifecycle"]


def test_a_jump_while_the_node_is_inactive_sends_nothing(node):
    node.trigger_deactivate()
    node._on_jump(JUMP)
    assert node.sent == []


def test_the_next_registration_starts_where_the_one_that_was_given_up_did(node):
    node.give_start(50.0)
    node.register(1000)
    reactivate(node)
    node.registration.open.release()
    wait_for(node.says("cancelled"), "the end of the registration")
    for second in (1001, 1002):
        answer = node.register(second)
        node.registration.open.release()
        assert answer.result(LONG).success
    assert node.registration.starts == pytest.approx([50.0, 50.0, 60.0])


def missing_view(node: HeldNode) -> Exposure:
    exposure = Exposure.good(1000)
    for messages in (exposure.images, exposure.infos):
        messages["lateral"].header.frame_id = "nowhere"
    return exposure


def missing_start(node: HeldNode) -> Exposure:
    node.give_start(0.0, "nowhere")
    return Exposure.good(1000)


@pytest.mark.parametrize("missing", [missing_view, missing_start])
@pytest.mark.parametrize("give_up", [reactivate, go_back])
def test_a_registration_that_waits_for_a_transform_is_given_up_too(give_up, missing, node):
    """It may wait for a minute, and the next one for it."""
    node.take(missing(node))
    answer = node.call()
    wait_for(lambda: node._worker._running is not None, "the registration")
    assert node._tf_buffer.waiting.wait(LONG)
    why = give_up(node)
    assert answer.result(LONG).message == why
    node.give_start(0.0)
    answer = node.register(1001)
    node.registration.open.release()
    assert answer.result(LONG).success


def test_nothing_of_a_result_is_sent_where_one_message_cannot_be_made(node, monkeypatch):
    def no_poses(*arguments: object) -> None:
        raise InputError("a pose is no pose.")

    monkeypatch.setattr(node._publisher.messages, "_vertebra_poses", no_poses)
    answer = node.register(1000)
    node.registration.open.release()
    assert (answer.result(LONG).success, answer.result(LONG).message) == (False, "a pose is no pose.")
    assert node.sent == []


def test_a_call_that_comes_while_the_node_is_deactivated_starts_nothing(node, monkeypatch):
    """It came when what ran had been given up already, so nothing would give it up."""
    node.take(Exposure.good(1000))
    cancel, answers = node._worker.cancel, []
    node._collecting = lock = ToldLock()

    def cancel_and_be_called(reason: str) -> None:
        cancel(reason)
        if not answers:
            answers.append(node.call())
            wait_for(lambda: lock.waited_for.is_set() or node._worker._running is not None, "the call")

    monkeypatch.setattr(node._worker, "cancel", cancel_and_be_called)
    node.trigger_deactivate()
    node.registration.open.release()
    assert "not active" in answers[0].result(LONG).message
    assert node.registration.starts == []


def test_a_result_that_is_being_sent_is_sent_as_a_whole(node, monkeypatch):
    """Deactivation, which turns publishers off, waits for its last message."""
    answer = node.register(1000)
    switch = threading.Thread(target=node.trigger_deactivate)
    on = []
    node._publishing = lock = ToldLock()

    def send(outgoing) -> None:
        if not on:
            switch.start()
            wait_for(lambda: lock.waited_for.is_set() or not switch.is_alive(), "deactivation")
        on.append((outgoing.output.topic, node._publisher._publishers["/tf"].is_activated))

    monkeypatch.setattr(node._publisher, "_send", send)
    node.registration.open.release()
    assert answer.result(LONG).success
    switch.join(LONG)
    wait_for(node.idle, "the end of all work")
    assert on == [(topic, True) for topic in RESULT], "its pictures, which were not made yet, are none"
