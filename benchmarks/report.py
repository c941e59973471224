"""The last line of a benchmark, and the same figures in build/bench."""

import json
import math
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from radgs_core.io.atomic import written_atomically

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "build" / "bench"

BEGAN_S = time.monotonic()
"""When the benchmark's process began, nearly."""

Row = Mapping[str, float | str | None]
NO_TABLES: Mapping[str, Sequence[Row]] = MappingProxyType({})


def report(name: str, figures: Mapping[str, float], tables: Mapping[str, Sequence[Row]] = NO_TABLES) -> None:
    """Write build/bench/``name``.json, beside command, commit, cores and wall clock, and print ``name: key=value ...``.

    ``tables`` are written, not printed. What is not finite becomes null.
    """
    content = {
        "command": shlex.join(["python", "-m", f"benchmarks.{Path(sys.argv[0]).stem}", *sys.argv[1:]]),
        "commit": _commit(),
        "cores": len(os.sched_getaffinity(0)),
        "minutes": round((time.monotonic() - BEGAN_S) / 60, 1),
        **_strict(figures),
        **{table: [_strict(row) for row in rows] for table, rows in tables.items()},
    }
    with written_atomically(FOLDER / f"{name}.json") as temporary:
        temporary.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n")
    print(f"{name}:", *(f"{key}={value:.4g}" for key, value in figures.items()))


def _strict(row: Row) -> Row:
    """JSON knows neither NaN nor infinity."""
    return {key: None if isinstance(value, float) and not math.isfinite(value) else value for key, value in row.items()}


def _commit() -> str:
    """What is measured: the commit, marked when the tree differs from it."""
    git = ["git", "-C", str(ROOT), "describe", "--always", "--abbrev=12", "--dirty=+changes", "--exclude=*"]
    described = subprocess.run(git, capture_output=True, text=True, check=False)
    return described.stdout.strip() or "unknown"
