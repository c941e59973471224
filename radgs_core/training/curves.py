"""How a training went: a table for people and programs, event files for TensorBoard."""

import csv
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

from radgs_core.io.atomic import written_atomically

TABLE = "curves.csv"
EVENTS = "tensorboard"


class Curves:
    """Appends to ``curves.csv`` and to TensorBoard's event file in the folder ``tensorboard``.

    One row a step with its number, the seconds used up and any numbers by name; what was not measured is empty. What
    is there of steps after ``step``, the last one that a checkpoint holds, is dropped: these steps are done again. The
    event file is then written anew from the table, so it holds no step twice either.
    """

    def __init__(self, folder: Path, step: int) -> None:
        self._path, events = folder / TABLE, folder / EVENTS
        events.mkdir(parents=True, exist_ok=True)
        rows = list(_rows_until(self._path, step))
        self._columns = list(rows[0]) if rows else ["step", "seconds"]
        self._rewrite(rows)
        for file in events.glob("events.out.tfevents.*"):
            file.unlink()
        self._events = SummaryWriter(str(events))
        self._began_s = time.time() - (float(rows[-1]["seconds"]) if rows else 0.0)
        for row in rows:
            values = {name: float(row[name]) for name in self._columns[2:] if row[name]}
            self._plot(int(row["step"]), float(row["seconds"]), values)

    def record(self, step: int, seconds: float, values: Mapping[str, float]) -> None:
        """Write down numbers after ``step`` steps."""
        new = [name for name in values if name not in self._columns]
        if new:
            self._file.close()
            rows = list(_rows_until(self._path, step))
            self._columns += new
            self._rewrite(rows)
        self._writer.writerow({"step": step, "seconds": f"{seconds:.3f}", **values})
        self._plot(step, seconds, values)

    def flush(self) -> None:
        """Leave nothing in memory."""
        self._file.flush()
        self._events.flush()

    def close(self) -> None:
        """Write what is left."""
        self._file.close()
        self._events.close()

    def _rewrite(self, rows: list[dict[str, str]]) -> None:
        with written_atomically(self._path) as path, path.open("w", newline="") as file:
            writer = csv.DictWriter(file, self._columns)
            writer.writeheader()
            writer.writerows(rows)
        self._file = self._path.open("a", newline="", buffering=1)  # a line at a time, to be watched
        self._writer = csv.DictWriter(self._file, self._columns)

    def _plot(self, step: int, seconds: float, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self._events.add_scalar(name, value, step, walltime=self._began_s + seconds)


def _rows_until(path: Path, last: int) -> Iterator[dict[str, str]]:
    """Rows of the table up to step ``last``; a row that was cut off in writing, and what follows it, is left out."""
    if not path.is_file():
        return
    with path.open(newline="") as file:
        before = -1
        for row in csv.DictReader(file):
            step = row.get("step") or ""
            if not step.isdecimal() or not before < int(step) <= last or None in row.values():
                return
            before = int(step)
            yield row


@contextmanager
def recorded_curves(folder: Path, step: int) -> Iterator[Curves]:
    """Curves that are closed at the end."""
    curves = Curves(folder, step)
    try:
        yield curves
    finally:
        curves.close()
