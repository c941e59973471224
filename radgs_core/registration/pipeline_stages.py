"""Which stages a registration goes through."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Stages:
    """Stages that may be left out; a case without networks has only the refinement.

    Attributes:
        detection: find the levels in the images where no start is given.
        learned: correct what detection found by RecM and RegM.
        refinement: compare renderings with the images until they agree. Without it nothing verifies a pose, so every
            level is rejected.
    """

    detection: bool = True
    learned: bool = True
    refinement: bool = True


EVERY_STAGE = Stages()
