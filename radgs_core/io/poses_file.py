"""poses.json: where each vertebra is; results, ground truth and starting values alike."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, cast, get_args

import numpy as np
from numpy.typing import NDArray

from radgs_core.errors import InputError
from radgs_core.geometry.rigid import checked_rigid
from radgs_core.io.atomic import written_atomically
from radgs_core.io.label_schemes import LEVELS
from radgs_core.io.number_matrix import number_matrix

Status = Literal["registered", "rejected"]
_KNOWN_KEYS = ("status", "reason", "T_reference_ct", "expected_tre_mm")


@dataclass(frozen=True)
class LevelPose:
    """Where one vertebra carries the CT's coordinates.

    Attributes:
        T_reference_ct: (4, 4) float64, mm: CT (LPS) into the reference frame.
        status: ``registered``, or ``rejected`` for a pose that must not be used.
        reason: why it was rejected; empty otherwise.
        expected_tre_mm: the registration's own estimate of its target registration error, or None if there is none.
    """

    T_reference_ct: NDArray[np.float64]
    status: Status = "registered"
    reason: str = ""
    expected_tre_mm: float | None = None


@dataclass(frozen=True)
class Poses:
    """Poses of several vertebrae.

    Attributes:
        reference: name of the frame the poses are expressed in.
        levels: pose by label, C1..C7, T1..T13, L1..L6, S1.
    """

    reference: str
    levels: Mapping[str, LevelPose]


def read_poses(path: Path | str) -> Poses:
    """Read a poses.json; a level needs only ``T_reference_ct``.

    Raises:
        InputError: unreadable, not JSON, missing or unknown keys, an unknown level or status, a non-rigid transform.
    """
    path = Path(path)
    content = _read_json(path)
    if not isinstance(content, dict) or set(content) != {"reference", "levels"}:
        raise InputError(f"{path} must hold the two keys reference and levels and no others; correct the file.")
    reference, levels = content["reference"], content["levels"]
    if not isinstance(reference, str) or not reference.strip():
        raise InputError(f"{path}: reference must be the name of a frame, such as carm_base, but is {reference!r:.80}.")
    if not isinstance(levels, dict):
        raise InputError(f"{path}: levels must hold one entry per vertebra, such as L1, but is {levels!r:.80}.")
    return Poses(
        reference, MappingProxyType({level: _level_pose(path, level, entry) for level, entry in levels.items()})
    )


def write_poses(path: Path | str, poses: Poses) -> None:
    """Write a poses.json that ``read_poses`` reads back to the same numbers; an unknown (None, NaN) error becomes null.

    Raises:
        InputError: an unknown level or status, a transform that is not rigid, or a path that cannot be written.
    """
    levels = {}
    for level, pose in poses.levels.items():
        _check_level(level, str(path))
        _check_status(pose.status, f"{path}, level {level}")
        expected = pose.expected_tre_mm
        levels[level] = {
            "status": pose.status,
            "reason": pose.reason,
            "T_reference_ct": checked_rigid(pose.T_reference_ct, f"{path}, level {level}: T_reference_ct").tolist(),
            "expected_tre_mm": float(expected) if expected is not None and math.isfinite(expected) else None,
        }
    text = json.dumps({"reference": poses.reference, "levels": levels}, indent=1, allow_nan=False)
    with written_atomically(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def _level_pose(path: Path, level: str, entry: object) -> LevelPose:
    name = f"{path}, level {level}"
    _check_level(level, str(path))
    if not isinstance(entry, dict) or "T_reference_ct" not in entry:
        raise InputError(f"{name} has no T_reference_ct; give its 4x4 matrix in mm.")
    for key in entry:
        if key not in _KNOWN_KEYS:
            raise InputError(f"{name}: unknown key {key!r:.80}; known keys are {', '.join(_KNOWN_KEYS)}.")
    status, reason, expected = entry.get("status", "registered"), entry.get("reason", ""), entry.get("expected_tre_mm")
    _check_status(status, name)
    if not isinstance(reason, str):
        raise InputError(f"{name}: reason must be text, but is {reason!r:.80}.")
    if expected is not None and (
        isinstance(expected, bool) or not isinstance(expected, (int, float)) or not expected >= 0
    ):
        raise InputError(f"{name}: expected_tre_mm must be null or a number of at least 0 mm, but is {expected!r:.80}.")
    matrix = number_matrix(entry["T_reference_ct"], (4, 4), f"{name}: T_reference_ct")
    return LevelPose(
        checked_rigid(matrix, f"{name}: T_reference_ct"),
        cast(Status, status),
        reason,
        None if expected is None else float(expected),
    )


def _check_level(level: str, name: str) -> None:
    if level not in LEVELS:
        raise InputError(f"{name}: unknown level {level!r:.80}; known levels are C1..C7, T1..T13, L1..L6 and S1.")


def _check_status(status: object, name: str) -> None:
    if status not in get_args(Status):
        raise InputError(f"{name}: unknown status {status!r:.80}; it must be registered or rejected.")


def _read_json(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); give the path of a poses.json.") from error
    except (ValueError, RecursionError) as error:  # JSONDecodeError and UnicodeDecodeError are ValueErrors
        raise InputError(
            f"{path} is not valid JSON ({str(error).split(chr(10))[0]:.160}); give a poses.json."
        ) from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {next(key for key in keys if keys.count(key) > 1)!r} is given twice")
    return result


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number")
