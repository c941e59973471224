"""Progress goes to stderr: lines now and then, or a bar where a person sits."""

import os
import pty
import subprocess
import sys

import pytest

from radgs_core.commands import progress


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


def test_without_a_terminal_there_are_few_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    with progress.shown_progress("preparing") as report:
        for second in range(31):
            clock.now = 100.0 + second
            report(second / 40, f"part {second}")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "preparing: 25 %, part 10, about 30 s left",
        "preparing: 50 %, part 20, about 20 s left",
        "preparing: 75 %, part 30, about 10 s left",
    ]


def test_on_a_terminal_there_is_a_bar_with_the_time_left() -> None:
    code = """
from radgs_core.commands.progress import shown_progress
with shown_progress("preparing") as report:
    report(0.0, "T12")
    report(0.5, "L1")
print("done")
"""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    command = [sys.executable, "-c", code]
    process = subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, env=environment, check=True)
    os.close(theirs)
    shown = os.read(ours, 100000).decode()
    os.close(ours)
    assert process.stdout == b"done\n"
    assert "preparing: L1" in shown and "50%" in shown
