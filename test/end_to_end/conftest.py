"""The way of two vertebrae of the example CT through the commands, as a user types them."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from two_levels import LEVELS, views_of

from radgs_core.case import Case
from radgs_core.errors import InputError
from radgs_core.evaluation import wrong_start
from radgs_core.io import LevelPose, Poses, example_ct, write_poses
from radgs_core.xray import body_pose
from radgs_core.xray.carm import REFERENCE

RadgsReg = Callable[..., Any]
"""Runs radgs-reg with --json; returns what it printed. A failure fails the test."""


@pytest.fixture(scope="session")
def radgs_reg() -> RadgsReg:
    def call(*arguments: object) -> Any:
        command = [sys.executable, "-m", "radgs_core.cli", *map(str, arguments), "--json"]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, f"{' '.join(command)} ended with {ended.returncode}: {ended.stdout}{ended.stderr}"
        return json.loads(ended.stdout)

    return call


@pytest.fixture(scope="session")
def example() -> tuple[Path, Path]:
    """CT and label map."""
    try:
        return example_ct()
    except InputError as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("end_to_end")


@pytest.fixture(scope="session")
def case(example: tuple[Path, Path], folder: Path, radgs_reg: RadgsReg) -> Path:
    """The case of the example as it is."""
    radgs_reg("prepare", *example, "--levels", ",".join(LEVELS), "--out", folder / "case")
    return folder / "case"


@pytest.fixture(scope="session")
def study(case: Path, folder: Path, radgs_reg: RadgsReg) -> Path:
    """Realistic X-rays of the example, every level bent by about 3 mm and 3 degrees."""
    radgs_reg("simulate", case, "--out", folder / "study", "--seed", 1)
    return folder / "study"


@pytest.fixture(scope="session")
def start(case: Path, folder: Path) -> Path:
    """Start poses that are 8 mm and 8 degrees wrong."""
    prepared = Case.load(case)
    T_wrong = wrong_start(prepared, body_pose(prepared, LEVELS), LEVELS, 8.0, 8.0, np.random.default_rng(1))
    write_poses(folder / "start.json", Poses(REFERENCE, dict.fromkeys(LEVELS, LevelPose(T_wrong))))
    return folder / "start.json"


@pytest.fixture(scope="session")
def registered(case: Path, study: Path, start: Path, folder: Path, radgs_reg: RadgsReg) -> Any:
    """What register printed; its files are poses.json and the pictures in overlay/."""
    outputs = ["--out", folder / "poses.json", "--overlay", folder / "overlay"]
    return radgs_reg("register", case, *views_of(study), "--initial", start, *outputs)
