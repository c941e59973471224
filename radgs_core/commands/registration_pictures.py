"""The pictures that radgs-reg register writes."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from radgs_core.case import Case
from radgs_core.geometry.camera import VIEW_NAMES
from radgs_core.io import Poses, written_atomically
from radgs_core.reconstruction.attention_pictures import attention_picture
from radgs_core.registration.learned import Learned
from radgs_core.registration.overlay import draw_overlay
from radgs_core.xray.observation import Observation


def overlay_paths(folder: Path | None) -> dict[str, Path]:
    """By view, where its overlay goes: never over ``ap.png`` of a study."""
    return {} if folder is None else {view: folder / f"overlay_{view}.png" for view in VIEW_NAMES}


def attention_paths(folder: Path | None, levels: Sequence[str]) -> dict[str, Path]:
    """By level, where the picture of its attention goes."""
    return {} if folder is None else {level: folder / f"attention_{level}.png" for level in levels}


def write_overlays(
    paths: Mapping[str, Path],
    observations: Mapping[str, Observation],
    case: Case,
    poses: Poses,
    start: Mapping[str, NDArray[np.float64]],
) -> None:
    """Start poses dashed, where there are any; of the results those that may be used."""
    after = {level: pose.T_reference_ct for level, pose in poses.levels.items() if pose.status == "registered"}
    before = {level: start[level] for level in poses.levels if level in start}
    for view, path in paths.items():
        _write(path, draw_overlay(observations[view], case, after, before))


def write_attention(
    paths: Mapping[str, Path],
    observations: Mapping[str, Observation],
    case: Case,
    learned: Learned | None,
) -> list[Path]:
    """Write where RecM looked at each level; returns the files, none where RecM was not used."""
    if learned is None or case.networks is None:
        return []
    size = case.networks.per_level.recm.preset.crop
    for index, (level, vertebra) in enumerate(case.levels.items()):
        T_reference_vertebra = learned.T_reference_ct[index] @ vertebra.T_ct_vertebra
        if level in paths:
            views = list(observations.values())
            _write(paths[level], attention_picture(views, T_reference_vertebra, size, learned.attention[index]))
    return list(paths.values())


def _write(path: Path, picture: NDArray[np.uint8]) -> None:
    with written_atomically(path) as temporary:
        if not cv2.imwrite(str(temporary), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)):
            raise OSError(None, "OpenCV could not write it")
