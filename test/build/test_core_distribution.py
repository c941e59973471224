"""`pip install .` gives the ROS-free core, the command radgs-reg and the licence; it needs no ROS."""

import email
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """Built without network from a copy, so that neither a build folder nor an egg-info of this tree takes part."""
    folder = tmp_path_factory.mktemp("distribution")
    for name in ("setup.py", "pyproject.toml", "LICENSE"):
        shutil.copy(ROOT / name, folder / name)
    for name in ("radgs_core", "radgs_reg_ros"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--wheel-dir", folder, folder], check=True)
    return zipfile.ZipFile(next(folder.glob("*.whl")))


def test_metadata(wheel: zipfile.ZipFile) -> None:
    metadata = email.message_from_bytes(wheel.read("radgs_core-0.1.0.dist-info/METADATA"))
    assert (metadata["Name"], metadata["Version"]) == ("radgs-core", "0.1.0")
    assert metadata["License"] == "Apache-2.0"
    assert "radgs-reg = radgs_core.cli:main" in wheel.read("radgs_core-0.1.0.dist-info/entry_points.txt").decode()
    licences = [name for name in wheel.namelist() if name.endswith("LICENSE")]
    assert b"Version 2.0, January 2004" in wheel.read(licences[0])


def test_holds_every_file_of_the_core_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    in_tree = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "radgs_core").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {name for name in wheel.namelist() if ".dist-info/" not in name} == in_tree


def test_core_is_imported_without_ros() -> None:
    code = """
import importlib, pkgutil, sys
for module in ("rclpy", "radgs_reg", "radgs_reg_ros", "std_msgs", "geometry_msgs", "sensor_msgs", "tf2_msgs"):
    sys.modules[module] = None  # importing it fails
import radgs_core
for module in pkgutil.walk_packages(radgs_core.__path__, "radgs_core."):
    importlib.import_module(module.name)
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd="/")
