"""What happens before a command does any work."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

COMMANDS = ("prepare", "simulate", "register", "evaluate", "info")

HEAVY = ("torch", "numpy", "scipy", "nibabel", "nanodrr", "cv2")
"""Packages that take from a tenth of a second to seconds to import."""


def modules_after(*arguments: str) -> tuple[int, str, str, set[str]]:
    """Run the command in a new process; exit code, both outputs, and the heavy packages it imported."""
    code = f"""
import json, sys
from radgs_core.cli import main
try:
    code = main(sys.argv[1:])
except SystemExit as ended:
    code = ended.code
print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))
raise SystemExit(code)
"""
    ended = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    *out, imported = ended.stdout.splitlines()
    return ended.returncode, "\n".join(out), ended.stderr, set(json.loads(imported))


@pytest.mark.parametrize("arguments", [["--help"], *([command, "--help"] for command in COMMANDS)])
def test_help_is_instant(arguments: list[str]) -> None:
    code, out, err, imported = modules_after(*arguments)
    assert code == 0 and err == ""
    assert out.startswith("usage: radgs-reg")
    assert not imported


@pytest.mark.parametrize("command", COMMANDS)
def test_help_names_the_command_and_json(command: str, run: Callable[..., Any]) -> None:
    assert command in run("--help").out
    assert "--json" in run(command, "--help").out


def test_bad_arguments_are_told_at_once() -> None:
    code, out, err, imported = modules_after("prepare", "ct.nii.gz", "labels.nii.gz", "--levels", "T12")
    assert (code, out) == (2, "")
    assert "--out" in err
    assert not imported


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "COMMAND"),
        (["replay"], "replay"),
        (["prepare"], "CT, LABELS, --levels, --out"),
        (["prepare", "ct", "labels", "--out", "case", "--levels", "T12,"], "not a list of levels"),
        (["prepare", "ct", "labels", "--out", "case", "--levels", "T12,L1,T12"], "T12 is named twice"),
        (["prepare", "ct", "labels", "--out", "case", "--level", "T12"], "--levels"),
        (["prepare", "ct", "labels", "--out", "case", "--levels", "T12", "--minutes", "-1"], "at least 0"),
        (["prepare", "ct", "labels", "--out", "case", "--levels", "T12", "--device", "tpu"], "tpu"),
        (["simulate", "case", "--out", "study", "--physics", "magic"], "magic"),
        (["simulate", "case", "--out", "study", "--seed", "-1"], "whole number of at least 0"),
        (["simulate", "case", "--out", "study", "--motion-mm", "nan"], "not a number"),
        (["simulate", "case", "--out", "study", "--motion-deg", "-3"], "at least 0"),
        (["simulate", "case", "--out", "study", "--ap-angles", "5"], "--ap-angles"),
        (["register", "case", "--ap", "ap.png"], "--lateral, --geometry"),
        (["replay", "bag", "case", "--out", "new", "--frame-prefix", "/left/"], "without a slash at its front"),
        (["replay", "bag", "case", "--out", "new", "--reference", "/carm_base"], "without a slash at its front"),
        (["replay", "bag", "case", "--out", "new", "--reference", "carm base"], "without spaces"),
        (["replay", "bag", "case", "--out", "new", "--reference", ""], "the name of a frame"),
        (["evaluate", "case", "--poses", "poses.json"], "--truth"),
        (["info", "one", "two"], "two"),
    ],
)
def test_bad_arguments_are_one_line(arguments: list[str], words: str, run: Callable[..., Any]) -> None:
    ended = run(*arguments)
    assert ended.code == 2
    assert ended.out == ""
    assert ended.err.startswith("radgs-reg") and ended.err.count("\n") == 1
    assert words in ended.err


def test_negative_angles_are_numbers_not_options(run: Callable[..., Any], tmp_path: Any) -> None:
    ended = run("simulate", tmp_path / "case", "--out", tmp_path / "study", "--ap-angles", "-5", "-3.5")
    assert "is not a case" in ended.err


def test_one_passive_thread_unless_the_user_wants_more() -> None:
    """Read by OpenMP when torch is imported."""
    code = """
import os, sys
from radgs_core.cli import main
main(["info", "nowhere"])
import torch
print(torch.get_num_threads(), os.environ["OMP_WAIT_POLICY"])
"""

    def threads(**environment: str) -> str:
        command = [sys.executable, "-c", code]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()

    assert threads() == "1 PASSIVE"
    assert threads(OMP_NUM_THREADS="2", OMP_WAIT_POLICY="ACTIVE") == "2 ACTIVE"


@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["at the end", "at once"])
def test_output_that_nobody_reads_ends_the_command_quietly(unbuffered: str, files: Any) -> None:
    """As `radgs-reg info X | head` does; the output goes out line by line, or when the command ends."""
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run(
        [sys.executable, "-m", "radgs_core.cli", "info", files.geometry],
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (141, "")
