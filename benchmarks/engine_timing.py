"""Times of calls that are compared with each other, one thread each.

What counts is the processor's time of this process: on an idle machine that is the wall clock, and on a shared one it
leaves out what others take.
"""

import time
from collections.abc import Callable, Mapping

SAMPLES = 9
SAMPLE_S = 0.5


def seconds_of(
    calls: Mapping[str, Callable[[], object]], samples: int = SAMPLES, sample_s: float = SAMPLE_S
) -> dict[str, float]:
    """Of each call, measured in turns.

    A sample repeats one call for about ``sample_s``, and holds at least one; the calls take turns, so that what else
    the machine does meets them alike. The fastest of ``samples`` samples counts.
    """
    repetitions = {name: max(1, round(sample_s / _once(call))) for name, call in calls.items()}
    fastest = dict.fromkeys(calls, float("inf"))
    for _ in range(samples):
        for name, call in calls.items():
            began = time.process_time()
            for _ in range(repetitions[name]):
                call()
            fastest[name] = min(fastest[name], (time.process_time() - began) / repetitions[name])
    return fastest


def _once(call: Callable[[], object]) -> float:
    call()  # compiles, allocates
    began = time.process_time()
    call()
    return time.process_time() - began
