"""package.xml and setup.py name everything that the code imports, and agree with each other."""

import ast
import re
import sys
from collections.abc import Iterator
from importlib.metadata import files, requires
from pathlib import Path

import pytest
from catkin_pkg.package import Package, parse_package

ROOT = Path(__file__).resolve().parents[2]
OWN = {"radgs_core", "radgs_reg", "radgs_reg_launch", "radgs_reg_ros"}


@pytest.fixture(scope="module")
def package() -> Package:
    return parse_package(str(ROOT / "package.xml"))


def imported_modules(*folders: str) -> dict[str, Path]:
    """Top-level modules that are neither Python's nor this tree's, each with a file that imports it."""

    def names(tree: ast.AST) -> Iterator[str]:
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module

    files = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    found = {name.split(".")[0]: path for path in files for name in names(ast.parse(path.read_text()))}
    return {name: path for name, path in found.items() if name not in OWN | set(sys.stdlib_module_names)}


def modules_from_pip() -> set[str]:
    """Top-level modules of the distributions that setup.py asks for."""
    distributions = [re.split(r"[<>=!~ ;\[]", line)[0] for line in requires("radgs-core") or []]
    return {path.parts[0].removesuffix(".py") for name in distributions for path in files(name) or []}


def test_is_an_interface_package_of_format_3(package: Package) -> None:
    assert (package.name, package.package_format) == ("radgs_reg", 3)
    assert [group.name for group in package.member_of_groups] == ["rosidl_interface_packages"]
    assert package.licenses == ["Apache-2.0"]
    package.validate()


def test_ros_package_imports_only_what_is_declared(package: Package) -> None:
    declared = {dependency.name for dependency in package.exec_depends} | modules_from_pip()
    imported = imported_modules("radgs_reg_ros", "radgs_reg_launch", "launch")
    assert "rclpy" in imported
    assert {module: path.name for module, path in imported.items() if module not in declared} == {}


def test_core_imports_only_what_is_declared() -> None:
    imported = imported_modules("radgs_core")
    assert "numpy" in imported
    assert {module: path.name for module, path in imported.items() if module not in modules_from_pip()} == {}


def test_versions_agree(package: Package) -> None:
    assert f'version="{package.version}"' in (ROOT / "setup.py").read_text()
