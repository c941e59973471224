"""The runs of a recording: time goes back where a recording was looped, or a simulation began anew."""

import bisect
import math
from dataclasses import dataclass

from radgs_core.acquisition.jump_back import JumpBack
from radgs_core.messages.stamps import JUMP_BACK_NS, NS_PER_S

REORDERED_NS = NS_PER_S
"""Stamps of a frame that go back by more are another run: messages of several senders overtake each other by less.
``/clock`` has one sender, and the live node's ``JUMP_BACK_NS``."""


@dataclass
class _Run:
    """Time between two jumps back.

    Attributes:
        jump: of ``/clock``, that it began with, if it did.
        alone_from_ns: when ``/clock`` first said that this jump was over.
    """

    jump: JumpBack | None = None
    alone_from_ns: float = math.inf


class RecordedRuns:
    """Takes the times that a recording tells, in the order in which they were received, and then says of any message
    which run it was received in, and whether it was sent before that.

    Where there is a ``/clock`` it alone tells that time went back, and how far it has come since, as it does live.
    Where there is none, the stamps of frames tell that they went back; nothing is known to be of before then, since
    frames may be sent as rarely as they move.
    """

    def __init__(self) -> None:
        self._runs = [_Run()]
        self._begins_ns = [0]
        """When the first message of each was received."""
        self._clock_ns: int | None = None
        self._newest_ns: dict[str, int] = {}

    @property
    def count(self) -> int:
        """How many there are so far."""
        return len(self._runs)

    def take_clock(self, clock_ns: int, received_ns: int) -> None:
        """What ``/clock`` says."""
        if self._clock_ns is not None and clock_ns <= self._clock_ns - JUMP_BACK_NS:
            self._begin(received_ns, JumpBack(self._clock_ns, clock_ns))
        self._clock_ns = clock_ns
        run = self._runs[-1]
        if run.jump is not None and run.jump.is_over(clock_ns):
            run.alone_from_ns = min(run.alone_from_ns, received_ns)

    def take_frame(self, frame: str, stamp_ns: int, received_ns: int) -> None:
        """The stamp of a moving frame, of one whose stamps are the time at which it is sent."""
        newest_ns = self._newest_ns.get(frame, stamp_ns)
        if self._clock_ns is None and stamp_ns < newest_ns - REORDERED_NS:
            self._begin(received_ns)
        self._newest_ns[frame] = max(stamp_ns, self._newest_ns.get(frame, stamp_ns))

    def at(self, received_ns: int) -> int:
        """The number, from 0, of the run in which a message was received."""
        return bisect.bisect_right(self._begins_ns, received_ns) - 1

    def is_outdated(self, stamp_ns: int, received_ns: int) -> bool:
        """Whether a message was sent before the run in which it was received."""
        run = self._runs[self.at(received_ns)]
        return run.jump is not None and received_ns < run.alone_from_ns and run.jump.is_of_before(stamp_ns)

    def _begin(self, received_ns: int, jump: JumpBack | None = None) -> None:
        self._runs.append(_Run(jump))
        self._begins_ns.append(received_ns)
        self._newest_ns.clear()
