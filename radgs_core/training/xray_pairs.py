"""Pairs of X-rays to adapt to: no pose of theirs is known, nor asked for."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from radgs_core.errors import InputError
from radgs_core.geometry.camera import VIEW_NAMES, BiplanarGeometry
from radgs_core.io.geometry_file import read_geometry
from radgs_core.io.xray_image import read_xray
from radgs_core.xray.study import GEOMETRY


@dataclass(frozen=True)
class XrayPair:
    """AP and lateral X-ray of one patient.

    Attributes:
        name: for messages.
        images: per view (height, width) pixels as the view's ``intensity`` says.
        geometry: of both views.
    """

    name: str
    images: Mapping[str, NDArray]
    geometry: BiplanarGeometry

    @property
    def sha256(self) -> str:
        """Of pixels and cameras."""
        digest = hashlib.sha256()
        for view, camera in self.geometry.views.items():
            for numbers in (self.images[view], camera.camera_matrix, camera.T_reference_camera):
                digest.update(f"{view} {numbers.dtype} {numbers.shape}\0".encode())
                digest.update(np.ascontiguousarray(numbers).tobytes())
        return digest.hexdigest()


def read_pair(folder: Path) -> XrayPair:
    """Read ``geometry.yaml`` and one image a view, ``ap.<...>`` and ``lateral.<...>``; nothing else is looked at.

    A study that radgs-reg simulate wrote is such a folder; its ``truth.json`` is not opened.

    Raises:
        InputError: a file is missing or damaged, or a view has several images.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} does not exist or is not a folder; give a folder with X-rays and {GEOMETRY}.")
    geometry = read_geometry(folder / GEOMETRY)
    images = {view: read_xray(_image_of(folder, view), geometry.views[view]) for view in VIEW_NAMES}
    return XrayPair(str(folder), images, geometry)


def _image_of(folder: Path, view: str) -> Path:
    found = sorted(folder.glob(f"{view}.*"))
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise InputError(f"{folder} must hold one {view} image ({view}.png, .tif, .npy or .dcm), but has {names}.")
    return found[0]
