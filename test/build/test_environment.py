"""The environment is made once, and again only when what it is made from changes; the user's own is used as it is."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MADE_FROM = ["tools", "requirements", "setup.py", "msg", "cmake", "CMakeLists.txt", "package.xml"]


class Tree:
    """A copy of the set-up with an active virtual environment whose Python and CMake only write down their calls."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "tree"
        self.environment = folder / "environment"
        self.calls_file = folder / "calls"
        self.root.mkdir()
        for name in MADE_FROM:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, self.root / name)
            else:
                shutil.copy(ROOT / name, self.root / name)
        (self.environment / "bin").mkdir(parents=True)
        for name in ("python", "cmake"):
            stub = self.environment / "bin" / name
            # Answers every question with the environment's folder, where build_interfaces puts a file.
            stub.write_text(
                f'#!/bin/sh\n[ "$1" = -V ] || echo {name} "$@" >>{self.calls_file}\ndirname "$(dirname "$0")"\n'
            )
            stub.chmod(0o755)

    def run(self, **variables: str) -> list[str]:
        """Runs a command in the environment and returns how Python and CMake were called for it."""
        self.calls_file.write_text("")
        inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        subprocess.run(
            [self.root / "tools" / "in_environment", "true"],
            env=inherited | {"VIRTUAL_ENV": str(self.environment)} | variables,
            capture_output=True,
            check=True,
        )
        return self.calls_file.read_text().splitlines()


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def programs(calls: list[str]) -> set[str]:
    """What was done: {"pip", "cmake"}, one of them or nothing."""
    return {
        "pip" if " -m pip " in call else "cmake" for call in calls if " -m pip " in call or call.startswith("cmake")
    }


def test_active_environment_is_used(tree: Tree) -> None:
    calls = tree.run()
    assert programs(calls) == {"pip", "cmake"}
    assert not (tree.root / ".venv").exists()
    assert not any("venv --clear" in call for call in calls)


def test_environment_made_by_hand_is_not_emptied(tree: Tree) -> None:
    own = tree.root / ".venv"
    tree.environment.rename(own)
    tree.environment = own
    calls = tree.run(VIRTUAL_ENV="", PYTHON=str(own / "bin" / "python"))
    assert "pip" in programs(calls)
    assert not any("venv --clear" in call for call in calls)


def test_moved_environment_is_made_anew(tree: Tree) -> None:
    own = tree.root / ".venv"
    tree.environment.rename(own)
    tree.environment = own
    variables = {"VIRTUAL_ENV": "", "PYTHON": str(own / "bin" / "python")}
    tree.run(**variables)
    assert not any("venv --clear" in call for call in tree.run(**variables))
    tree.root = tree.root.rename(tree.root.with_name("moved"))
    stub = tree.root / ".venv" / "bin" / "python"
    calls = tree.run(**variables | {"PYTHON": str(stub)})
    assert any(f"venv --clear {tree.root / '.venv'}" in call for call in calls)


def test_second_call_does_nothing(tree: Tree) -> None:
    tree.run()
    assert programs(tree.run()) == set()


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ("msg/VertebraPose.msg", {"cmake"}),
        ("CMakeLists.txt", {"cmake"}),
        ("setup.py", {"pip"}),
        ("requirements/constraints.txt", {"pip", "cmake"}),
    ],
)
def test_change_of_content_is_noticed(tree: Tree, changed: str, expected: set[str]) -> None:
    tree.run()
    path = tree.root / changed
    before = path.stat()
    path.write_text(path.read_text() + "\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert programs(tree.run()) == expected


def test_touching_a_file_changes_nothing(tree: Tree) -> None:
    tree.run()
    (tree.root / "msg" / "VertebraPose.msg").touch()
    assert programs(tree.run()) == set()


def test_interrupted_installation_is_resumed(tree: Tree) -> None:
    tree.run()
    (tree.environment / "radgs_reg" / "packages").unlink()
    assert programs(tree.run()) == {"pip"}


def test_pip_finds_packages_as_the_user_has_set_it_up(tree: Tree) -> None:
    arguments = " ".join(tree.run()).split()
    assert not any(
        argument.startswith(("--index-url", "-i", "--extra-index-url", "--proxy", "--cert")) for argument in arguments
    )


def test_wheels_of_ros_are_not_put_on_top_of_an_installation(tree: Tree, tmp_path: Path) -> None:
    assert any("ros_wheels.txt" in call for call in tree.run())
    (tmp_path / "ros" / "share" / "rclpy").mkdir(parents=True)
    calls = tree.run(AMENT_PREFIX_PATH=f"{tmp_path / 'overlay'}:{tmp_path / 'ros'}")
    assert programs(calls) == {"pip", "cmake"}
    assert not any("ros_wheels.txt" in call for call in calls)


@pytest.mark.parametrize("installed", [False, True])
def test_tf2_msgs_is_made_only_where_ros_has_none(tree: Tree, tmp_path: Path, installed: bool) -> None:
    share = tmp_path / "ros" / "share"
    (share / "rclpy").mkdir(parents=True)
    if installed:
        (share / "tf2_msgs").mkdir()
        (share / "tf2_msgs" / "package.xml").write_text("<package/>")
    calls = tree.run(AMENT_PREFIX_PATH=str(tmp_path / "ros"))
    assert any("cmake/tf2_msgs" in call for call in calls) is not installed


def test_environment_without_python_is_one_line(tree: Tree) -> None:
    (tree.environment / "bin" / "python").unlink()
    with pytest.raises(subprocess.CalledProcessError) as failure:
        tree.run()
    assert failure.value.stderr.decode().count("\n") == 1
    assert "deactivate" in failure.value.stderr.decode()
