"""The tree is an ordinary ROS package: colcon builds it, and what it installs runs from the install space alone."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = [
    "CMakeLists.txt",
    "LICENSE",
    "colcon.meta",
    "package.xml",
    "cmake",
    "config",
    "description",
    "launch",
    "msg",
    "radgs_core",
    "radgs_reg_launch",
    "radgs_reg_ros",
]


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install prefix of the package, built from a copy of the tree."""
    tree = tmp_path_factory.mktemp("colcon")
    for name in PACKAGE:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, tree / name)
    command = [sys.executable, "-m", "colcon", "build", "--event-handlers", "console_direct+"]
    result = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return tree / "install" / "radgs_reg"


def test_launch_config_and_description_are_installed(prefix: Path) -> None:
    for name in ("launch", "config", "description"):
        assert {path.name for path in (prefix / "share" / "radgs_reg" / name).iterdir()} == {
            path.name for path in (ROOT / name).iterdir() if path.name != "__pycache__"
        }


@pytest.mark.parametrize("name", ["radgs_core", "radgs_reg_launch", "radgs_reg_ros"])
def test_everything_in_the_modules_is_installed(prefix: Path, name: str) -> None:
    """Also what is no Python: kernels, and the networks of the demo with their card."""

    def files(folder: Path) -> set[str]:
        return {
            str(path.relative_to(folder))
            for path in folder.rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }

    (installed,) = prefix.glob(f"**/site-packages/{name}")
    assert files(installed) == files(ROOT / name)


@pytest.mark.parametrize("name", ["registration_node", "carm_simulator_node", "radgs-reg"])
def test_executable_runs_in_the_interpreter_it_was_built_for(prefix: Path, name: str) -> None:
    executable = prefix / "lib" / "radgs_reg" / name
    assert os.access(executable, os.X_OK)
    interpreter = executable.read_text().splitlines()[0].removeprefix("#!")
    assert Path(interpreter).resolve() == Path(sys.executable).resolve()


def test_sourced_workspace_has_interfaces_and_modules(prefix: Path) -> None:
    code = (
        "import radgs_core, radgs_reg.msg, radgs_reg_ros, rclpy.serialization;"
        "rclpy.serialization.serialize_message(radgs_reg.msg.VertebraPoseArray());"
        "print(radgs_core.__file__, radgs_reg.__file__, radgs_reg_ros.__file__)"
    )
    script = f'. "{prefix.parent}/setup.bash" && "{sys.executable}" -c "{code}"'
    # The libraries of this process's own environment must not stand in for those of the workspace.
    environment = {
        n: v for n, v in os.environ.items() if n not in ("LD_LIBRARY_PATH", "_ROS_WHEELS_BOOTSTRAP_COMPLETE")
    }
    shown = subprocess.run(["bash", "-c", script], cwd="/", env=environment, capture_output=True, text=True, check=True)
    assert all(path.startswith(str(prefix)) for path in shown.stdout.split()), shown.stdout
