"""Once through the life of a node: configured, activated, at work, deactivated, cleaned up."""

from collections.abc import Callable

from lifecycle_msgs.msg import Transition

from radgs_reg_ros.rig.remote import Remote, RigError


def lifecycle_loop(remote: Remote, node: str, work: Callable[[], object]) -> None:
    """Take an unconfigured node through all and back; while it is active, ``work`` is done.

    Raises:
        RigError: it refused a transition.
    """
    remote.bring_up([node])
    work()
    if not remote.transition(node, Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_CLEANUP):
        raise RigError(f"{node} could not be deactivated and cleaned up; see its log.")
