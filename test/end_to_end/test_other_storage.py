"""The example CT, resampled to 1.5 mm with axes PIR and VerSe numbers, registers as the original does."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reoriented import write_example_as_pir
from two_levels import LEVELS, views_of

from radgs_core.xray import read_study

SAME_MM = 0.3


@pytest.fixture(scope="module")
def other_case(tmp_path_factory: pytest.TempPathFactory, example: tuple[Path, Path], radgs_reg: Any) -> Path:
    folder = tmp_path_factory.mktemp("pir")
    ct, labels = write_example_as_pir(folder, spacing_mm=1.5)
    assert radgs_reg("info", ct)["grid"].endswith("of 1.5 x 1.5 x 1.5 mm, axes PIR")
    result = radgs_reg("prepare", ct, labels, "--levels", ",".join(LEVELS), "--out", folder / "case")
    assert result["label_scheme"] == "verse"
    return folder / "case"


def test_the_same_x_rays_give_the_same_errors(
    case: Path,
    other_case: Path,
    study: Path,
    start: Path,
    registered: Any,
    folder: Path,
    tmp_path: Path,
    radgs_reg: Any,
) -> None:
    """Both CTs have the same patient coordinates, so the X-rays and the truth of one serve both."""
    radgs_reg("register", other_case, *views_of(study), "--initial", start, "--out", tmp_path / "poses.json")
    truth = ["--truth", study / "truth.json"]
    original = radgs_reg("evaluate", case, "--poses", folder / "poses.json", *truth)["levels"]
    other = radgs_reg("evaluate", other_case, "--poses", tmp_path / "poses.json", *truth)["levels"]
    for label in LEVELS:
        assert other[label]["status"] == original[label]["status"] == "registered"
        assert other[label]["tre_mm"] == pytest.approx(original[label]["tre_mm"], abs=SAME_MM)


def test_its_own_x_rays_look_the_same(other_case: Path, study: Path, tmp_path: Path, radgs_reg: Any) -> None:
    """Pixels of twice the size, as that is enough to compare."""
    radgs_reg("simulate", other_case, "--out", tmp_path / "study", "--seed", 1, "--size", 256, "--pixel-mm", 1.2)
    own = read_study(tmp_path / "study").images
    for view, counts in read_study(study).images.items():
        halved = counts.reshape(256, 2, 256, 2).mean((1, 3))
        assert np.corrcoef(np.log(halved + 1).ravel(), np.log(own[view] + 1).ravel())[0, 1] > 0.98
