"""What the documentation promises is there: links, file formats, thresholds, options, and code that compiles."""

import json
import re
import shlex
from pathlib import Path

import pytest
import yaml

from radgs_core import cli
from radgs_core.io import read_geometry, read_poses
from radgs_core.registration import verdict
from radgs_core.registration.stage_view import FINEST_BODY_VOXEL_MM

ROOT = Path(__file__).resolve().parents[2]
FROM_ROSDEP = {
    "python3-nibabel": "nibabel",
    "python3-numpy": "numpy",
    "python3-opencv": "opencv-python",
    "python3-scipy": "scipy",
    "python3-skimage": "scikit-image",
    "python3-transforms3d": "transforms3d",
    "python3-yaml": "PyYAML",
}
"""What package.xml names for rosdep, as setup.py names it."""
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """As GitHub makes them from headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"(?<!!)\[[^\]]*\]\(([^)]+)\)", re.sub(r"`[^`]*`", "", page.read_text())):
        target, _, anchor = link.partition("#")
        if target.startswith("https://"):
            continue
        file = (page.parent / target) if target else page
        assert file.exists(), link
        assert not anchor or anchor in anchors(file / "README.md" if file.is_dir() else file), link


def test_references_in_the_code_lead_somewhere() -> None:
    sources = [path for folder in ("radgs_core", "radgs_reg_ros") for path in (ROOT / folder).rglob("*.py")]
    found = {name for path in sources for name in re.findall(r"docs/[\w/.]*\w", path.read_text())}
    assert found
    assert [name for name in sorted(found) if not (ROOT / name).is_file()] == []


def test_thresholds_are_those_of_the_code() -> None:
    rows = re.findall(
        r"^\|[^|]*\| `([A-Z_]+)` \| ([\d.]+) \|$", (ROOT / "docs" / "method.md").read_text(), re.MULTILINE
    )
    thresholds = {name for name in vars(verdict) if name.startswith(("LEAST_", "LARGEST_"))}
    assert {name: float(value) for name, value in rows} == {name: getattr(verdict, name) for name in thresholds}


def test_the_body_is_marched_in_voxels_of_the_code() -> None:
    (named,) = re.findall(
        r"voxels of ([\d.]+) mm \(`FINEST_BODY_VOXEL_MM`\)", (ROOT / "docs" / "method.md").read_text()
    )
    assert float(named) == FINEST_BODY_VOXEL_MM


def test_a_workspace_gets_from_pip_what_rosdep_does_not_have() -> None:
    manifest = (ROOT / "package.xml").read_text()
    assert set(re.findall(r"<exec_depend>(python3-.*)</exec_depend>", manifest)) == set(FROM_ROSDEP)
    needed = set(re.findall(r'^ {8}"([\w-]+)[>=]=.*",', (ROOT / "setup.py").read_text(), re.MULTILINE))
    readme = (ROOT / "README.md").read_text()
    (line,) = re.findall(r"^pip install (?!\.)(.*)$", readme, re.MULTILINE)
    named = shlex.split(line)
    assert {re.split("[>=]=", name)[0] for name in named} == needed - set(FROM_ROSDEP.values())
    (count,) = re.findall(r"(\w+) Python packages come from pip", readme)
    assert ["Eight", "Nine", "Ten"].index(count) + 8 == len(named)
    (comment,) = re.findall(r"rosdep keys; (.*) come from pip", manifest)
    assert re.split(", | and ", comment) == [re.split("[>=]=", name)[0] for name in named]
    for name in named:
        assert "=" not in name or f'"{name}"' in (ROOT / "setup.py").read_text()


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "docs" / "command_line.md"], ids=lambda page: page.name)
def test_example_files_are_read(page: Path, tmp_path: Path) -> None:
    (geometry,), (poses,) = blocks(page, "yaml"), blocks(page, "json")
    (tmp_path / "geometry.yaml").write_text(geometry)
    (tmp_path / "poses.json").write_text(poses)
    assert read_geometry(tmp_path / "geometry.yaml").reference == read_poses(tmp_path / "poses.json").reference
    assert set(yaml.safe_load(geometry)["views"]) == {"ap", "lateral"}
    assert set(json.loads(poses)["levels"]["L1"]) == {"T_reference_ct", "status", "reason", "expected_tre_mm"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_compiles(page: Path) -> None:
    for code in blocks(page, "python"):
        compile(code, str(page), "exec")


@pytest.mark.parametrize(
    "command", ["prepare", "train prior", "train full", "simulate", "register", "replay", "evaluate", "info"]
)
def test_every_option_is_documented(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main([*command.split(), "--help"])
    options = set(re.findall(r"--[a-z-]+", capsys.readouterr().out)) - {"--help"}
    page = (ROOT / "docs" / "command_line.md").read_text()
    section = page.split(f"\n## {command}\n")[1].split("\n## ")[0]
    assert options == set(re.findall(r"--[a-z-]+", section.split("```")[1]))
