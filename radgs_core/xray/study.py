"""A study: two simulated X-rays, their geometry and the true poses, one folder.

``ap.png`` and ``lateral.png`` hold 16-bit counts of arbitrary gain, air bright; ``geometry.yaml`` both views;
``truth.json`` the ``T_reference_ct`` of every level.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from radgs_core.case import Case
from radgs_core.geometry.camera import VIEW_NAMES, BiplanarGeometry
from radgs_core.io.atomic import written_atomically
from radgs_core.io.geometry_file import read_geometry, write_geometry
from radgs_core.io.poses_file import LevelPose, Poses, read_poses, write_poses
from radgs_core.io.xray_image import read_xray, write_xray
from radgs_core.xray.carm import body_pose
from radgs_core.xray.motion import bend
from radgs_core.xray.physics import Physics
from radgs_core.xray.simulator import Simulator

GEOMETRY, TRUTH = "geometry.yaml", "truth.json"


@dataclass(frozen=True)
class Study:
    """What was taken, and what is true.

    Attributes:
        images: per view, (height, width) float32 counts.
        geometry: of both views.
        truth: where every level is.
    """

    images: Mapping[str, NDArray[np.float32]]
    geometry: BiplanarGeometry
    truth: Poses


def simulate_study(
    case: Case,
    centred: Sequence[str],
    geometry: BiplanarGeometry,
    physics: Physics,
    motion_mm: float,
    motion_deg: float,
    seed: int,
) -> Study:
    """Bend the spine and take both X-rays, the ``centred`` levels in the middle of the C-arm's isocentre.

    Every level of the case moves (see ``bend``). Motion and noise depend on ``seed`` alone: other physics shows the
    same bent spine.
    """
    simulator = Simulator(case, geometry, body_pose(case, centred))
    return take_study(case, simulator, physics, motion_mm, motion_deg, seed)


def take_study(
    case: Case, simulator: Simulator, physics: Physics, motion_mm: float, motion_deg: float, seed: int
) -> Study:
    """``simulate_study`` in an operating room that is there already, its body ray cast."""
    motion = bend(case, list(case.levels), motion_mm, motion_deg, np.random.default_rng([seed, 0]))
    T_reference_level = {level: simulator.T_reference_ct @ T_ct_ct for level, T_ct_ct in motion.items()}
    images = simulator.expose(T_reference_level, physics, np.random.default_rng(seed))
    truth = {level: LevelPose(pose) for level, pose in T_reference_level.items()}
    return Study(MappingProxyType(images), simulator.geometry, Poses(simulator.geometry.reference, truth))


def write_study(path: Path, study: Study) -> None:
    """Write the folder, all of it or nothing; an existing study there is replaced.

    Raises:
        InputError: something else than a study is at ``path``, or it cannot be written.
    """
    with written_atomically(path, replaces_folder_with=TRUTH) as folder:
        folder.mkdir()
        for view, pixels in study.images.items():
            write_xray(image_path(folder, view), pixels)
        write_geometry(folder / GEOMETRY, study.geometry)
        write_poses(folder / TRUTH, study.truth)


def read_study(path: Path) -> Study:
    """Read a folder that ``write_study`` wrote.

    Raises:
        InputError: a file is missing or damaged.
    """
    geometry = read_geometry(path / GEOMETRY)
    images = {view: read_xray(image_path(path, view), geometry.views[view]) for view in VIEW_NAMES}
    return Study(MappingProxyType(images), geometry, read_poses(path / TRUTH))


def image_path(folder: Path, view: str) -> Path:
    """Where a study keeps the X-ray of a view."""
    return folder / f"{view}.png"
