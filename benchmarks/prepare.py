"""Time and memory of radgs-reg prepare: five levels of the example CT, as a process of its own."""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.example_case import REPORTED_LEVELS
from benchmarks.report import report
from radgs_core.io.example import example_ct


def main() -> int:
    """Run and report; returns the exit code of prepare."""
    ct, labels = example_ct()
    with tempfile.TemporaryDirectory() as folder:
        arguments = [str(ct), str(labels), "--levels", ",".join(REPORTED_LEVELS), "--out", str(Path(folder) / "case")]
        began = time.monotonic()
        exit_code = subprocess.run(
            [sys.executable, "-m", "radgs_core.cli", "prepare", *arguments], check=False
        ).returncode
        seconds = time.monotonic() - began
    if exit_code:
        return exit_code
    # of the child with the largest; Linux counts in kilobytes of 1024 bytes
    peak_gb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e9
    report("prepare", {"levels": len(REPORTED_LEVELS), "seconds": seconds, "peak_gb": peak_gb})
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
