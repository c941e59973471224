"""Where the C-arm is, whoever moves it."""

from dataclasses import dataclass
from typing import Protocol

from radgs_core.registration.pipeline import InputError
from radgs_core.xray.carm_joints import JointPositions


class NotPlaced(InputError):
    """It is not known yet where the C-arm is, or what time it is."""


@dataclass(frozen=True)
class Placed:
    """Where the C-arm was at a stamp; joint states and frames of this stamp have been sent.

    Attributes:
        stamp_ns: when.
        positions: of the joints.
    """

    stamp_ns: int
    positions: JointPositions


class CArmPlace(Protocol):
    """A C-arm that is moved."""

    def now(self) -> Placed:
        """Where it is.

        Raises:
            NotPlaced: that is not known.
        """

    def close(self) -> None:
        """Give publishers, subscriptions and timers back."""
