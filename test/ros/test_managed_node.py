"""Every transition of a lifecycle node, with steps that fail as expected and as not expected."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticStatus
from rcl_interfaces.msg import SetParametersResult
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.signals import SignalHandlerOptions
from std_msgs.msg import Empty
from told_lock import ToldLock

from radgs_core.registration.pipeline import InputError
from radgs_reg_ros.managed_node import ManagedNode
from radgs_reg_ros.parameter_field import Effect, parameter

LONG = 60.0
SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE
ERROR = TransitionCallbackReturn.ERROR
TO_STATE = {"unconfigured": [], "inactive": ["configure"], "active": ["configure", "activate"]}
"""Transitions that lead there from the start."""


@dataclass(frozen=True)
class ProbeParameters:
    speed: int = parameter(1, Effect.AT_ONCE, "Nothing.", (0, 9))
    place: str = parameter("here", Effect.CONFIGURE, "Nothing.")


class Probe(ManagedNode):
    """Writes its steps down; ``failures`` are raised by the step they are named after, the first one first."""

    def __init__(self) -> None:
        super().__init__("probe", ProbeParameters)
        self.steps: list[str] = []
        self.failures: dict[str, list[Exception]] = {}
        self.output = self.create_lifecycle_publisher(Empty, "output", 1)
        self.could_send: list[bool] = []

    def take(self, *transitions: str) -> TransitionCallbackReturn:
        """Outcome of the last of some transitions."""
        for transition in transitions:
            outcome = getattr(self, f"trigger_{transition}")()
        return outcome

    @property
    def state(self) -> str:
        return self._state_machine.current_state[1]

    @property
    def told(self) -> DiagnosticStatus:
        """The diagnostic of the lifecycle."""
        return self.diagnostics._entries["lifecycle"]

    def configure(self) -> None:
        self._step("configure")

    def activate(self) -> None:
        self._step("activate")

    def deactivate(self) -> None:
        self.could_send.append(self.output.is_activated)
        self._step("deactivate")

    def release(self) -> None:
        self._step("release")

    def parameters_changed(self) -> None:
        self._step("parameters_changed")

    def stop_work(self, timeout_s: float) -> None:
        self._step("stop_work")

    def _step(self, name: str) -> None:
        self.steps.append(name)
        if self.failures.get(name):
            raise self.failures[name].pop(0)


@pytest.fixture
def given_at_start() -> list[str]:
    """Arguments of the node."""
    return []


@pytest.fixture
def probe(domain, given_at_start) -> Iterator[Probe]:
    rclpy.init(args=given_at_start, domain_id=domain, signal_handler_options=SignalHandlerOptions.NO)
    probe = Probe()
    yield probe
    probe.destroy_node()
    rclpy.shutdown()


FAILING = [
    ("unconfigured", "configure", "configure"),
    ("inactive", "activate", "activate"),
    ("active", "deactivate", "deactivate"),
    ("inactive", "cleanup", "release"),
    ("unconfigured", "shutdown", "release"),
    ("inactive", "shutdown", "release"),
    ("active", "shutdown", "deactivate"),
]
"""State, transition, and a step of it."""


@pytest.mark.parametrize(("state", "transition", "step"), FAILING)
def test_an_unexpected_error_leads_through_error_processing_to_unconfigured(probe, state, transition, step):
    for before in TO_STATE[state]:
        probe.take(before)
    probe.failures[step] = [RuntimeError("the cable is out")]
    probe.diagnostics.ok("pair", "a pair of X-rays is ready")
    probe.steps.clear()
    assert probe.take(transition) == ERROR
    assert probe.state == "unconfigured"
    assert probe.steps[-2:] == ["deactivate", "release"], "error processing gives everything back"
    assert not probe.output.is_activated
    assert "the cable is out" in probe.told.message
    assert list(probe.diagnostics._entries) == ["lifecycle"], "what was known before is void"
    assert probe.told.level == DiagnosticStatus.ERROR
    assert probe.take("configure", "activate") == SUCCESS
    assert probe.state == "active"


@pytest.mark.parametrize(("state", "transition", "step"), FAILING)
def test_an_error_in_error_processing_finalizes(probe, state, transition, step):
    for before in TO_STATE[state]:
        probe.take(before)
    probe.failures = {step: [RuntimeError("first")], "release": [RuntimeError("then")] * 2}
    assert probe.take(transition) == ERROR
    assert probe.state == "finalized"


def test_what_configure_refuses_leaves_the_node_unconfigured(probe):
    probe.failures["configure"] = [InputError("there is no such case.")]
    assert probe.take("configure") == FAILURE
    assert probe.state == "unconfigured"
    assert probe.steps == ["configure", "release"]
    assert probe.told.message == "there is no such case."
    assert probe.take("configure") == SUCCESS


@pytest.mark.parametrize("state", TO_STATE)
def test_shutdown_is_possible_from_every_state_and_only_once(probe, state):
    for before in TO_STATE[state]:
        probe.take(before)
    probe.steps.clear()
    probe.shut_down()
    assert probe.state == "finalized"
    assert probe.steps == ["deactivate", "release"]
    assert not probe.output.is_activated
    probe.shut_down()
    assert probe.steps == ["deactivate", "release"]


@pytest.mark.parametrize("transition", ["deactivate", "shutdown"])
def test_publishers_are_on_until_running_work_was_given_up(probe, transition):
    """What it is sending then would be cut in two."""
    probe.take("configure", "activate", transition)
    assert probe.could_send == [True]
    assert not probe.output.is_activated


@pytest.mark.parametrize(
    ("state", "transition"),
    [
        ("unconfigured", "activate"),
        ("unconfigured", "deactivate"),
        ("unconfigured", "cleanup"),
        ("inactive", "configure"),
        ("inactive", "deactivate"),
        ("active", "configure"),
        ("active", "activate"),
        ("active", "cleanup"),
    ],
)
def test_a_transition_that_the_state_does_not_have_does_nothing(probe, state, transition):
    for before in TO_STATE[state]:
        probe.take(before)
    probe.steps.clear()
    assert probe.take(transition) == ERROR
    assert (probe.state, probe.steps) == (state, [])


@pytest.mark.parametrize("state", TO_STATE)
def test_a_parameter_that_acts_at_once_is_taken_in_every_state(probe, state):
    for before in TO_STATE[state]:
        probe.take(before)
    probe.steps.clear()
    (result,) = probe.set_parameters([rclpy.Parameter("speed", value=2)])
    assert result.successful
    assert probe.steps == ["parameters_changed"]


def test_what_was_set_while_a_transition_made_things_is_in_force_after_it(probe):
    probe.take("configure", "activate")
    assert probe.steps == ["configure", "parameters_changed", "activate", "parameters_changed"]


def test_a_parameter_that_is_taken_while_unconfigured_is_set_before_configure_reads_it(probe, monkeypatch):
    """The node is configured when the parameter has been accepted, but has not been set yet."""
    probe._setting = lock = ToldLock()
    seen: list[str] = []
    monkeypatch.setattr(probe, "configure", lambda: seen.append(probe.get_parameter("place").value))
    configuring = threading.Thread(target=probe.take, args=("configure",))

    def be_configured(parameters: list[rclpy.Parameter]) -> SetParametersResult:
        configuring.start()
        assert lock.waited_for.wait(LONG)
        return SetParametersResult(successful=True)

    probe._on_set_parameters_callbacks.append(be_configured)  # after the node's own
    assert probe.set_parameters_atomically([rclpy.Parameter("place", value="there")]).successful
    configuring.join(LONG)
    assert seen == ["there"]


@pytest.mark.parametrize("state", TO_STATE)
def test_a_parameter_that_is_read_at_configure_is_taken_while_unconfigured(probe, state):
    for before in TO_STATE[state]:
        probe.take(before)
    (result,) = probe.set_parameters([rclpy.Parameter("place", value="there")])
    assert result.successful == (state == "unconfigured")
    assert result.successful or result.reason == (
        "the parameter place is read when the node is configured; clean up first, then set it."
    )
    (result,) = probe.set_parameters([rclpy.Parameter("place", value=probe.get_parameter("place").value)])
    assert result.successful, "nothing changes"


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("speed", 10, "the parameter speed must be of type integer, 0 to 9, not 10."),
        ("speed", 1.0, "the parameter speed must be of type integer, 0 to 9, not 1.0."),
        ("speed", None, "the parameter speed must be of type integer, 0 to 9, not None."),
        ("plaice", "there", "the parameter plaice is not known and changes nothing; did you mean place?"),
        ("gain", 1, "the parameter gain is not known and changes nothing; see docs/parameters.md."),
        ("use_sim_time", False, ""),
    ],
)
def test_every_refusal_has_a_reason(probe, name, value, reason):
    """As the parameter services set them."""
    result = probe.set_parameters_atomically([rclpy.Parameter(name, value=value)])
    assert (result.successful, result.reason) == (not reason, reason)
    assert probe.get_parameter("speed").value == 1


@pytest.mark.parametrize("given_at_start", [["--ros-args", "-p", "plaice:=there"]])
@pytest.mark.parametrize(
    ("transitions", "state"),
    [
        (["configure", "cleanup"], "unconfigured"),
        (["configure", "activate", "shutdown"], "finalized"),
        (["configure", "activate", "deactivate"], "unconfigured"),
    ],
)
def test_names_that_were_wrong_at_start_stay_on_the_diagnostics(probe, transitions, state):
    """They are as wrong after cleanup: an entry that is no longer repeated is stale to whoever watches."""
    if transitions[-1] == "deactivate":
        probe.failures["deactivate"] = [RuntimeError("the cable is out")]
    told = probe.diagnostics._entries["parameters"]
    probe.take(*transitions)
    assert probe.state == state
    assert list(probe.diagnostics._entries) == ["parameters", "lifecycle"]
    assert probe.diagnostics._entries["parameters"] == told
    assert told.message == "the parameter plaice is not known and changes nothing; did you mean place?"


def test_rclpy_may_declare_parameters_of_its_own_later(probe):
    probe.declare_parameter("qos_overrides", 1)
    assert probe.set_parameters_atomically([rclpy.Parameter("qos_overrides", value=2)]).successful
