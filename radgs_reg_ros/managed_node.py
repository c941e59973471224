"""What both lifecycle nodes share: transitions that report why they failed, parameters, and diagnostics."""

import threading
import traceback
from abc import abstractmethod
from collections.abc import Callable

from rcl_interfaces.msg import SetParametersResult
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter

from radgs_core.registration.pipeline import InputError
from radgs_reg_ros.diagnostics import Diagnostics
from radgs_reg_ros.parameter_declaration import declare, unknown_overrides

PARAMETERS = "parameters"
"""The entry about what was given at start: it holds as long as the process."""


class ManagedNode(LifecycleNode):
    """A lifecycle node whose transitions never leave it half made.

    A transition that InputError ends fails: the node stays in the state it was in. Any other exception leads through
    error processing to unconfigured. Both are on ``/diagnostics``, entry ``lifecycle``, and in the log.

    Transitions and the node's own callbacks come one after the other, in the default group. While a transition takes
    long, the state, parameters, ``/clock`` and diagnostics go on beside it.
    """

    def __init__(self, name: str, parameters: type) -> None:
        """Declares a parameter class.

        Raises:
            InputError: a parameter given at start is refused.
        """
        super().__init__(name)
        self.diagnostics = Diagnostics(self)
        self._separate_transitions()
        self._setting = threading.Lock()
        """Held while parameters are set, and for moments in which a transition must see all or nothing of that."""
        self._check_parameters = declare(
            self, parameters, lambda: self._state_machine.current_state[1] == "unconfigured"
        )
        if unknown := unknown_overrides(self):
            self.diagnostics.warn(PARAMETERS, " ".join(unknown))
        self.add_post_set_parameters_callback(lambda _: self.parameters_changed())

    @abstractmethod
    def configure(self) -> None:
        """Read parameters, load, create publishers."""

    @abstractmethod
    def activate(self) -> None:
        """Subscribe; lifecycle publishers are on."""

    @abstractmethod
    def deactivate(self) -> None:
        """Unsubscribe and give running work up; may be called twice."""

    @abstractmethod
    def release(self) -> None:
        """Give back all that configure made; may be called twice, or after half a configure."""

    @abstractmethod
    def parameters_changed(self) -> None:
        """Put into force what takes effect at once; in any state, after a parameter was set.

        Also beside a transition, and again when ``configure`` or ``activate`` is done.
        """

    @abstractmethod
    def stop_work(self, timeout_s: float) -> None:
        """End background threads for good, as far as they end within the timeout."""

    def set_parameters_atomically(self, parameter_list: list[Parameter]) -> SetParametersResult:
        """As rclpy does it, but with a reason for every refusal; the parameter services come through here."""
        with self._setting:
            checked = self._check_parameters(parameter_list)
            return super().set_parameters_atomically(parameter_list) if checked.successful else checked

    def bring_up(self) -> None:
        """Configure and activate, as a lifecycle manager would."""
        if self.trigger_configure() == TransitionCallbackReturn.SUCCESS:
            self.trigger_activate()

    def shut_down(self) -> None:
        """To finalized, unless a lifecycle manager has done that."""
        if self._state_machine.current_state[1] != "finalized":
            self.trigger_shutdown()

    def destroy_node(self) -> None:
        """Take the node out of the ROS graph, its state machine included."""
        super().destroy_node()
        # rclpy forgets this one, and it holds the node, its DDS participant and that one's files in /dev/shm
        self._state_machine.destroy_when_not_in_use()

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """To inactive; fails, with nothing left behind, when ``configure`` refuses."""
        with self._setting:  # what was accepted before is set before it is read, the rest is refused
            self.diagnostics.ok("lifecycle", "configuring")
        try:
            self.configure()
            self._put_parameters_into_force()
        except InputError as error:
            self.release()
            self.diagnostics.error("lifecycle", str(error))
            return TransitionCallbackReturn.FAILURE
        except Exception as error:
            return self._unexpected(error)
        self.diagnostics.ok("lifecycle", "configured")
        return super().on_configure(state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """To active."""
        outcome = super().on_activate(state)
        try:
            self.activate()
            self._put_parameters_into_force()
        except Exception as error:
            return self._unexpected(error)
        self.diagnostics.ok("lifecycle", "active")
        self.get_logger().info("active")
        return outcome

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """To inactive."""
        try:
            self.deactivate()
        except Exception as error:
            return self._unexpected(error)
        self.diagnostics.ok("lifecycle", "inactive")
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """To unconfigured."""
        return self._released(super().on_cleanup, state, "unconfigured")

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """To finalized, from any state."""
        return self._released(super().on_deactivate, state, "shut down")  # publishers off, which rclpy leaves on

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """What a transition that broke off leaves is given back; the node is unconfigured after it.

        It is finalized when that raises, too.
        """
        try:
            self.deactivate()
            self.release()
        except Exception as error:
            return self._unexpected(error, "what a transition left could not be given back; start the process anew")
        return super().on_deactivate(state)  # publishers off

    def _separate_transitions(self) -> None:
        """Leave what rclpy has made so far, and the timer of the diagnostics, in a group without transitions.

        rclpy has no public way to it: it makes them all in the default group.
        """
        self._default_callback_group = transitions = MutuallyExclusiveCallbackGroup()
        self._service_change_state.callback_group = transitions
        transitions.add_entity(self._service_change_state)

    def _put_parameters_into_force(self) -> None:
        """What was set while a transition made things did not reach them, or not all."""
        with self._setting:
            self.parameters_changed()

    def _released(
        self,
        transition: Callable[[LifecycleState], TransitionCallbackReturn],
        state: LifecycleState,
        what: str,
    ) -> TransitionCallbackReturn:
        try:
            self.deactivate()  # before publishers are off: what is being sent is sent as a whole
            outcome = transition(state)
            self.release()
        except Exception as error:
            return self._unexpected(error)
        self.diagnostics.forget(but=PARAMETERS)
        self.diagnostics.ok("lifecycle", what)
        return outcome

    def _unexpected(
        self, error: Exception, what: str = "the transition failed unexpectedly"
    ) -> TransitionCallbackReturn:
        """rclpy swallows what a transition raises; say it first."""
        self.get_logger().error(traceback.format_exc())
        self.diagnostics.forget(but=PARAMETERS)
        self.diagnostics.error("lifecycle", f"{what} ({type(error).__name__}: {error}).")
        return TransitionCallbackReturn.ERROR
