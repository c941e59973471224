"""What the core logs reaches the user of the command line."""

import logging
import os
import pty
import subprocess
import sys

import pytest

from radgs_core import cli
from radgs_core.commands.messages import shown_messages

core = logging.getLogger("radgs_core.kernels.engine")


def test_information_and_warnings_are_lines_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with shown_messages():
        core.info("compiling %s", "kernels")
        core.warning("slow")
        core.debug("details")
    core.info("later")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "compiling kernels\nslow\n"


def test_the_command_line_shows_them(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(cli.info, "run", lambda arguments: core.info("compiling kernels") or 0)
    assert cli.main(["info", "."]) == 0
    assert capsys.readouterr().err == "compiling kernels\n"


def test_a_bar_and_a_message_do_not_mix() -> None:
    code = """
import logging
from radgs_core import cli
from radgs_core.commands.messages import shown_messages
from radgs_core.commands.progress import shown_progress
with shown_messages(), shown_progress("preparing") as report:
    report(0.5, "L1")
    logging.getLogger("radgs_core").info("compiling kernels")
"""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    subprocess.run([sys.executable, "-c", code], stderr=theirs, env=environment, check=True)
    os.close(theirs)
    shown = os.read(ours, 100000).decode()
    os.close(ours)
    # on a line that was cleared before, and ended before the bar is drawn anew
    assert "\x1b[2Kcompiling kernels\r\n" in shown
