"""What CMake makes of cmake/executable.py.in: Ctrl-C at any time, without a traceback."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

TEMPLATE = Path(__file__).parents[2] / "cmake" / "executable.py.in"
PROGRAM = """
import time


def tell_and_wait():
    print("here", flush=True)
    time.sleep(60)


{at_import}


def main():
    try:
        tell_and_wait()
    except KeyboardInterrupt:
        return 130
"""


@pytest.mark.parametrize(
    ("at_import", "exit_code"), [("tell_and_wait()", -signal.SIGINT), ("", 130)], ids=["imports", "main"]
)
def test_ctrl_c_ends_imports_quietly_and_is_left_to_main(at_import: str, exit_code: int, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM.format(at_import=at_import))
    (tmp_path / "executable").write_text(TEMPLATE.read_text().replace("@module@", "program"))
    with subprocess.Popen(
        [sys.executable, tmp_path / "executable"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == "here\n"
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30.0)
    assert (process.returncode, said) == (exit_code, "")
