"""Label maps: which voxels of a CT belong to which vertebra."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from radgs_core.errors import InputError
from radgs_core.io.label_detection import detect_label_scheme
from radgs_core.io.label_schemes import LEVELS, MAX_LABEL, TOTALSEGMENTATOR, VERSE, LabelScheme, read_label_scheme
from radgs_core.io.nifti import is_nifti_name, read_nifti
from radgs_core.volume import Volume

GRID_TOLERANCE = 0.1
"""Largest accepted distance of a voxel from its counterpart in the CT, as a share of the smallest spacing."""


@dataclass(frozen=True)
class LabelMap:
    """Vertebra masks on a CT's grid.

    Attributes:
        volume: uint8 or uint16 labels with the CT's shape, axis order and ``T_ct_voxel``.
        value_of_level: label of each vertebra that is present (see ``LEVELS``), from head to foot, to its integer.
        scheme: name of the numbering, ``totalsegmentator``, ``verse`` or the file that gave it.
    """

    volume: Volume
    value_of_level: Mapping[str, int]
    scheme: str


def read_labels(path: Path | str, ct: Volume, scheme: str | Path = "auto") -> LabelMap:
    """Read the label map of a CT.

    A map that was saved with other axis order or directions but on the same grid is brought to the CT's; voxels are
    moved, never interpolated.

    Args:
        path: NIfTI file.
        ct: the CT the labels were made on.
        scheme: ``auto`` (told from anatomy), ``totalsegmentator``, ``verse``, or a YAML file (``read_label_scheme``).

    Raises:
        InputError: unreadable, not whole numbers, another grid, an unknown numbering or one without a vertebra here.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path} does not exist; give the label map as a NIfTI file (.nii or .nii.gz).")
    if not is_nifti_name(path):
        raise InputError(f"{path} is not a label map this program reads; convert it to NIfTI (.nii or .nii.gz).")
    stored = read_nifti(path)
    volume = on_grid_of(ct, Volume(_whole_numbers(stored.data, path), stored.T_ct_voxel), path)
    chosen = _scheme(scheme, volume, ct, path)
    present = _values_in(volume.data)
    value_of_level = {
        level: chosen.value_of_level[level] for level in LEVELS if chosen.value_of_level.get(level) in present
    }
    if not value_of_level:
        values = ", ".join(str(value) for value in sorted(present)[:30]) or "only 0"
        raise InputError(
            f"{path} holds no vertebra in the numbering {chosen.name} (values found: {values}); pass another"
            " --label-scheme."
        )
    return LabelMap(volume, MappingProxyType(value_of_level), chosen.name)


def _scheme(scheme: str | Path, volume: Volume, ct: Volume, path: Path) -> LabelScheme:
    if scheme == "auto":
        return detect_label_scheme(volume, ct, str(path))
    for known in (TOTALSEGMENTATOR, VERSE):
        if scheme == known.name:
            return known
    if not Path(scheme).is_file():
        raise InputError(
            f"the label scheme {scheme} is neither auto, totalsegmentator, verse nor a file; pass one of these as"
            " --label-scheme."
        )
    return read_label_scheme(Path(scheme))


def _whole_numbers(data: NDArray, path: Path) -> NDArray:
    """``data`` as uint8 or uint16."""
    low, high = data.min(), data.max()
    if low < 0 or high > MAX_LABEL:
        raise InputError(f"{path} holds values from {low} to {high}; labels must lie between 0 and {MAX_LABEL}.")
    labels = np.empty(data.shape, np.uint8 if high <= 255 else np.uint16, order="F")
    for k in range(data.shape[2]):
        labels[..., k] = np.rint(data[..., k])
        if not np.array_equal(labels[..., k], data[..., k]):
            raise InputError(
                f"{path} holds fractions, so it is no label map or was interpolated; resample with nearest neighbour."
            )
    return labels


def _values_in(labels: NDArray) -> set[int]:
    counts = np.zeros(MAX_LABEL + 1, np.int64)
    for k in range(labels.shape[2]):  # np.unique on the whole would sort a copy of it
        counts += np.bincount(labels[..., k].ravel(order="K"), minlength=MAX_LABEL + 1)
    return set((np.flatnonzero(counts[1:]) + 1).tolist())


def on_grid_of(ct: Volume, labels: Volume, path: Path) -> Volume:
    """``labels`` with axes permuted and flipped to the CT's.

    Args:
        ct: the grid.
        labels: any values.
        path: where the labels come from; for the message.

    Raises:
        InputError: the voxels lie elsewhere than the CT's.
    """
    voxel_from_label = np.linalg.inv(ct.T_ct_voxel) @ labels.T_ct_voxel
    axis_in_ct = np.abs(voxel_from_label[:3, :3]).argmax(axis=0)  # for each axis of the labels
    different = f"{path} is not on the CT's grid"
    remedy = "give the label map that was made on this CT, or resample it to the CT with nearest neighbour"
    if sorted(axis_in_ct) != [0, 1, 2]:
        raise InputError(f"{different} (its axes are turned against the CT's); {remedy}.")
    order = np.argsort(axis_in_ct)
    shape = tuple(labels.data.shape[axis] for axis in order)
    if shape != ct.data.shape:
        ours, theirs = (" x ".join(str(n) for n in s) for s in (shape, ct.data.shape))
        raise InputError(f"{different} ({ours} voxels, the CT has {theirs}); {remedy}.")
    flips = tuple(axis for axis in range(3) if voxel_from_label[axis, order[axis]] < 0)
    # where the corners of the labels come to lie in the CT, in voxels of the CT
    corners = np.array(list(itertools.product(*((0, n - 1) for n in labels.data.shape))), dtype=np.float64)
    expected = corners[:, order]
    for axis in flips:
        expected[:, axis] = ct.data.shape[axis] - 1 - expected[:, axis]
    off_mm = np.linalg.norm(labels.points_mm(corners) - ct.points_mm(expected), axis=1).max()
    if off_mm > GRID_TOLERANCE * ct.spacing_mm.min():
        raise InputError(f"{different} (voxels lie up to {off_mm:.2f} mm from the CT's); {remedy}.")
    return Volume(np.flip(labels.data.transpose(order), flips), ct.T_ct_voxel)
