"""The last line of a benchmark, and the same figures in build/bench."""

import json
import math
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from radgs_core.io.atomic import written_atomically

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "build" / "bench"


def report(name: str, figures: Mapping[str, float]) -> None:
    """Write build/bench/``name``.json, beside command, commit and cores, and print ``name: key=value ...``."""
    content = {
        "command": shlex.join(["python", "-m", f"benchmarks.{Path(sys.argv[0]).stem}", *sys.argv[1:]]),
        "commit": _commit(),
        "cores": len(os.sched_getaffinity(0)),
        **{key: value if math.isfinite(value) else None for key, value in figures.items()},
    }
    with written_atomically(FOLDER / f"{name}.json") as temporary:
        temporary.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n")
    print(f"{name}:", *(f"{key}={value:.4g}" for key, value in figures.items()))


def _commit() -> str:
    """What is measured: the commit, marked when the tree differs from it."""
    git = ["git", "-C", str(ROOT), "describe", "--always", "--abbrev=12", "--dirty=+changes", "--exclude=*"]
    described = subprocess.run(git, capture_output=True, text=True, check=False)
    return described.stdout.strip() or "unknown"
