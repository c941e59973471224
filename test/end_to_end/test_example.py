"""prepare, simulate, register and evaluate on the example CT, from a start that is 8 mm and 8 degrees wrong."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from radgs_core.case import Case
from radgs_core.geometry.camera import XrayCamera
from radgs_core.geometry.rigid import transform_points
from radgs_core.io import read_geometry, read_poses


def test_every_level_is_registered_within_2_mm(
    case: Path, study: Path, start: Path, registered: Any, folder: Path, radgs_reg: Any
) -> None:
    truth = ["--truth", study / "truth.json"]
    before = radgs_reg("evaluate", case, "--poses", start, *truth)
    after = radgs_reg("evaluate", case, "--poses", folder / "poses.json", *truth, "--geometry", study / "geometry.yaml")
    assert before["summary"]["median_mm"] > 5
    assert after["summary"]["levels"] == after["summary"]["registered"] == 2
    assert after["summary"]["max_mm"] < 2
    for label, level in after["levels"].items():
        assert max(level["depth_mm"].values()) <= level["tre_mm"]
        assert registered["levels"][label]["expected_tre_mm"] == level["expected_tre_mm"]


def test_poses_file_is_what_was_printed(registered: Any, folder: Path) -> None:
    levels = json.loads((folder / "poses.json").read_text())["levels"]
    for label, level in levels.items():
        assert np.allclose(level["T_reference_ct"], registered["levels"][label]["T_reference_ct"], rtol=0, atol=1e-9)


def test_outlines_lie_where_the_vertebrae_are(case: Path, study: Path, registered: Any, folder: Path) -> None:
    """Colour is on the silhouettes of the true poses, or dimmed on those of the start, and nowhere else."""
    prepared, truth = Case.load(case), read_poses(study / "truth.json")
    for view, camera in read_geometry(study / "geometry.yaml").views.items():
        picture = cv2.imread(registered["overlays"][view])
        bright = (picture.max(-1).astype(int) - picture.min(-1) > 120) & (picture.max(-1) > 200)
        rows, columns = np.nonzero(bright)
        assert len(rows) > 300
        near = np.zeros(len(rows), bool)
        for label, level in truth.levels.items():
            box = _box(camera, transform_points(level.T_reference_ct, prepared.levels[label].surface_points_mm))
            # names stand beside the outlines
            near |= (columns > box[0] - 8) & (columns < box[2] + 60) & (rows > box[1] - 8) & (rows < box[3] + 8)
        assert near.all()


def _box(camera: XrayCamera, points_mm: NDArray) -> NDArray[np.float64]:
    """Left, top, right and bottom of projected points, pixels."""
    pixels = camera.project(points_mm)
    return np.r_[pixels.min(0), pixels.max(0)]
