"""What a replay made of a pair."""

from collections.abc import Mapping
from dataclasses import dataclass

from radgs_core.registration.result import RegistrationResult


@dataclass(frozen=True)
class PairOutcome:
    """What became of one pair.

    Attributes:
        stamps_ns: by view, when its image was taken.
        received_ns: when the pair was complete, by the recorder's clock.
        result: None when it could not be registered; without what networks made of the images.
        problem: why it could not be registered; empty otherwise.
    """

    stamps_ns: Mapping[str, int]
    received_ns: int
    result: RegistrationResult | None
    problem: str

    @property
    def stamp_ns(self) -> int:
        """Time of acquisition of the pair: that of its later image."""
        return max(self.stamps_ns.values())

    @property
    def all_registered(self) -> bool:
        """Whether every level that was asked for is registered."""
        return self.result is not None and self.result.all_registered
