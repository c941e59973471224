"""geometry.yaml: where both X-ray images were taken from."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from radgs_core.errors import InputError
from radgs_core.geometry.camera import VIEW_NAMES, BiplanarGeometry, XrayCamera
from radgs_core.io.atomic import written_atomically
from radgs_core.io.number_matrix import number_matrix
from radgs_core.io.yaml_file import read_yaml_mapping

_TOP_KEYS = ("reference", "views")
_REQUIRED_VIEW_KEYS = ("width", "height", "camera_matrix", "T_reference_camera")
_VIEW_KEYS = (*_REQUIRED_VIEW_KEYS, "intensity")


def read_geometry(path: Path | str) -> BiplanarGeometry:
    """Read a geometry.yaml; each camera's ``name`` says the file and the view.

    Raises:
        InputError: unreadable; missing or unknown keys; no valid cameras (see ``XrayCamera`` and ``BiplanarGeometry``).
    """
    path = Path(path)
    content = read_yaml_mapping(path)
    _check_keys(content, _TOP_KEYS, _TOP_KEYS, str(path))
    reference, views = content["reference"], content["views"]
    if not isinstance(reference, str) or not reference.strip():
        raise InputError(f"{path}: reference must be the name of a frame, such as carm_base, but is {reference!r:.80}.")
    if not isinstance(views, Mapping):
        raise InputError(f"{path}: views must hold the views ap and lateral, but is {views!r:.80}.")
    _check_keys(views, VIEW_NAMES, VIEW_NAMES, f"{path}, views")
    cameras = {view: _camera(views[view], f"{path}, view {view}") for view in VIEW_NAMES}
    try:
        return BiplanarGeometry(reference, cameras)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def write_geometry(path: Path | str, geometry: BiplanarGeometry) -> None:
    """Write a geometry.yaml that ``read_geometry`` reads back to the same numbers.

    Raises:
        InputError: the path cannot be written.
    """
    content = {
        "reference": geometry.reference,
        "views": {
            view: {
                "width": int(camera.width),
                "height": int(camera.height),
                "camera_matrix": camera.camera_matrix.tolist(),
                "T_reference_camera": camera.T_reference_camera.tolist(),
                "intensity": camera.intensity,
            }
            for view, camera in geometry.views.items()
        },
    }
    # only the innermost lists on one line: a matrix row each
    text = yaml.safe_dump(content, sort_keys=False, default_flow_style=None, width=200)
    with written_atomically(path) as temporary:
        temporary.write_text("# lengths in mm, camera_matrix in pixels\n" + text, encoding="utf-8")


def _camera(view: object, name: str) -> XrayCamera:
    if not isinstance(view, Mapping):
        raise InputError(f"{name} must hold {', '.join(_REQUIRED_VIEW_KEYS)}, but is {view!r:.80}.")
    _check_keys(view, _REQUIRED_VIEW_KEYS, _VIEW_KEYS, name)
    return XrayCamera(
        width=view["width"],
        height=view["height"],
        camera_matrix=number_matrix(view["camera_matrix"], (3, 3), f"{name}: camera_matrix"),
        T_reference_camera=number_matrix(view["T_reference_camera"], (4, 4), f"{name}: T_reference_camera"),
        intensity=view.get("intensity", "transmission"),
        name=name,
    )


def _check_keys(content: Mapping[Any, Any], required: tuple[str, ...], known: tuple[str, ...], name: str) -> None:
    for key in content:
        if key not in known:
            raise InputError(f"{name}: unknown key {key!r:.80}; known keys are {', '.join(known)}.")
    for key in required:
        if key not in content:
            raise InputError(f"{name}: the key {key} is missing; required keys are {', '.join(required)}.")
