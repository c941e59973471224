"""What a machine lacks is said in one line, with the command that installs it."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
VERSION = sysconfig.get_python_version()


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder to be the whole PATH: bash, this Python as python3, a compiler and CMake. Tests take away from it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    bash = shutil.which("bash")
    assert bash
    (folder / "bash").symlink_to(bash)
    for name in ("cc", "c++", "cmake"):
        (folder / name).symlink_to("/bin/true")
    python3(folder, "")
    return folder


def python3(machine: Path, before: str) -> None:
    """Writes a python3 that runs ``before`` ahead of the code it is given with -c."""
    script = f"""#!/bin/bash\nexec {sys.executable} -c 'import sys; {before}\nexec(sys.argv[1])' "$2"\n"""
    (machine / "python3").write_text(script)
    (machine / "python3").chmod(0o755)


def check_system(machine: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHON", "CC", "CXX")
    }
    return subprocess.run(
        [machine / "bash", ROOT / "tools" / "check_system"],
        env=environment | {"PATH": str(machine)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_says_nothing_when_all_is_there(machine: Path) -> None:
    result = check_system(machine)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("taken_away", "named", "command"),
    [
        (["c++"], "a C++ compiler", "sudo apt install g++"),
        (["cc"], "a C compiler", "sudo apt install gcc"),
        (["cmake"], "CMake", "sudo apt install cmake"),
        (["c++", "cmake"], "a C++ compiler, CMake", "sudo apt install g++ cmake"),
        (["python3"], "python3 not found", "sudo apt install python3 python3-venv python3-dev"),
    ],
)
def test_missing_program(machine: Path, taken_away: list[str], named: str, command: str) -> None:
    for name in taken_away:
        (machine / name).unlink()
    result = check_system(machine)
    assert result.returncode == 1
    assert named in result.stderr
    assert result.stderr.endswith(f"{command}\n")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("flaw", "named", "command"),
    [
        ("sys.version_info = (3, 9, 2)", "Python 3.10 or newer", "python3.12 python3.12-venv python3.12-dev"),
        ("sys.modules.update(ensurepip=None, pip=None)", "venv", f"sudo apt install python{VERSION}-venv"),
        ("import sysconfig; sysconfig.get_path = str", "headers", f"sudo apt install python{VERSION}-dev"),
        ("import ctypes; ctypes.CDLL = None", "libGL", "sudo apt install libgl1 libglib2.0-0"),
    ],
)
def test_flawed_python(machine: Path, flaw: str, named: str, command: str) -> None:
    python3(machine, flaw)
    result = check_system(machine)
    assert result.returncode == 1
    assert named in result.stderr
    assert result.stderr.endswith(f"{command}\n")
    assert result.stderr.count("\n") == 1
