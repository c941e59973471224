"""The example CT as another hospital might store it: other spacing, other axis order, other label numbers."""

from pathlib import Path

import nibabel
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from radgs_core.io import LabelMap, example_ct, read_ct, read_labels
from radgs_core.io.label_schemes import VERSE
from radgs_core.volume import Volume

LPS_FROM_PIR = np.array([[0.0, 0.0, -1.0], [1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
"""Columns: posterior, inferior and right in CT coordinates."""


def write_example_as_pir(folder: Path, spacing_mm: float) -> tuple[Path, Path]:
    """Write the example's CT and its vertebrae in VerSe numbers, axes posterior, inferior, right; returns both."""
    ct_path, labels_path = example_ct()
    ct = read_ct(ct_path)
    labels = read_labels(labels_path, ct)
    # the mean over a new voxel, not a sample of it
    blur = np.maximum(spacing_mm / ct.spacing_mm, 1.0) / np.sqrt(12.0)
    smooth = Volume(ndimage.gaussian_filter(ct.data.astype(np.float32), blur, truncate=3.0), ct.T_ct_voxel)
    T_ct_voxel = np.diag([spacing_mm] * 3 + [1.0])
    T_ct_voxel[:3, :3] = spacing_mm * LPS_FROM_PIR
    ends = ct.points_mm(np.array([[0, 0, 0], np.array(ct.data.shape) - 1]))
    low, high = ends.min(0), ends.max(0)
    T_ct_voxel[:3, 3] = [high[0], low[1], high[2]]
    shape = tuple(np.floor(np.abs(LPS_FROM_PIR.T @ (high - low)) / spacing_mm).astype(int) + 1)
    paths = folder / "ct.nii.gz", folder / "verse.nii.gz"
    _save(paths[0], np.round(_resampled(smooth, T_ct_voxel, shape, order=1)).astype(np.int16), T_ct_voxel)
    _save(paths[1], _resampled(_verse(labels), T_ct_voxel, shape, order=0), T_ct_voxel)
    return paths


def _verse(labels: LabelMap) -> Volume:
    new = np.zeros(256, np.uint8)
    for level, value in labels.value_of_level.items():
        new[value] = VERSE.value_of_level[level]
    return Volume(new[labels.volume.data], labels.volume.T_ct_voxel)


def _resampled(volume: Volume, T_ct_voxel: NDArray[np.float64], shape: tuple[int, ...], order: int) -> NDArray:
    T_old_new = np.linalg.inv(volume.T_ct_voxel) @ T_ct_voxel
    return ndimage.affine_transform(volume.data, T_old_new, output_shape=shape, order=order, mode="nearest")


def _save(path: Path, data: NDArray, T_ct_voxel: NDArray[np.float64]) -> None:
    T_ras_voxel = np.diag([-1.0, -1.0, 1.0, 1.0]) @ T_ct_voxel
    nibabel.Nifti1Image(data, T_ras_voxel).to_filename(path)
