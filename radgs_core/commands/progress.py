"""How far long work is: a bar with the time left on a terminal, now and then a line elsewhere. On stderr."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich import progress as bars
from rich.console import Console

from radgs_core.progress import Progress

QUIET_S = 10.0
"""Where there is no terminal, the first line comes after so long, and so does each line after it."""


@contextmanager
def shown_progress(title: str) -> Iterator[Progress]:
    """Show that ``title`` is going on; before the first report the bar only pulses."""
    if not sys.stderr.isatty():
        yield _sparse_lines(title)
        return
    columns = (
        bars.TextColumn("{task.description}"),
        bars.BarColumn(),
        bars.TaskProgressColumn(),
        bars.TimeRemainingColumn(),
    )
    with bars.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda fraction, message: bar.update(
            task, total=1.0, completed=fraction, description=f"{title}: {message}"
        )


def _sparse_lines(title: str) -> Progress:
    began = last = time.monotonic()

    def report(fraction: float, message: str) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < QUIET_S:
            return
        last = now
        left = f", about {(now - began) * (1 - fraction) / fraction:.0f} s left" if fraction > 0 else ""
        print(f"{title}: {100 * fraction:.0f} %, {message}{left}", file=sys.stderr, flush=True)

    return report
