"""Once through the life of a node: configured, activated, deactivated, cleaned up."""

from lifecycle_msgs.msg import Transition

from radgs_reg_ros.rig.remote import Remote, RigError

LOOP = (
    Transition.TRANSITION_CONFIGURE,
    Transition.TRANSITION_ACTIVATE,
    Transition.TRANSITION_DEACTIVATE,
    Transition.TRANSITION_CLEANUP,
)


def lifecycle_loop(remote: Remote, node: str) -> None:
    """Take an unconfigured node through all and back.

    Raises:
        RigError: it refused a transition.
    """
    if not remote.transition(node, *LOOP):
        raise RigError(f"{node} did not go through its lifecycle; see its log.")
