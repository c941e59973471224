"""Which stages a registration goes through."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Stages:
    """Stages that may be left out; a case without networks has only the refinement, placement included.

    Attributes:
        detection: find the levels in the images where no start is given.
        learned: look for every level by RecM and RegM, from where it is unbent in the placed body; refinement starts
            where they see it, with a prior there. Without it each level goes on from its own start.
        refinement: compare renderings with the images until they agree; first with everything as one body (placement).
            Without it RecM and RegM look from what was found or given, and nothing verifies a pose, so every level is
            rejected.
    """

    detection: bool = True
    learned: bool = True
    refinement: bool = True


EVERY_STAGE = Stages()
