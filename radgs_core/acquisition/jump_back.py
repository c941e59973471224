"""Time went back: what was sent before it did, told by stamps."""

from dataclasses import dataclass


@dataclass(frozen=True)
class JumpBack:
    """Time went from ``before_ns`` back to ``after_ns``; live and in a recording the same messages are of before.

    Topics overtake each other: messages that were sent before still come. They do no longer once time has come half of
    the way again.
    """

    before_ns: int
    after_ns: int

    def is_over(self, now_ns: int) -> bool:
        """Whether nothing of before comes any more."""
        return now_ns > self._middle_ns

    def is_of_before(self, stamp_ns: int) -> bool:
        """Whether a message with this stamp, which comes while that is not over, was sent before time went back: the
        stamp is closer to the time before the jump than to the time after it."""
        return stamp_ns > self._middle_ns

    @property
    def _middle_ns(self) -> int:
        return self.after_ns + (self.before_ns - self.after_ns) // 2
