"""A case on disk: one folder.

``case.json`` holds the schema version, provenance, the labels from head to foot, and the SHA-256 of all other files;
``body.npz`` the CT without the prepared vertebrae; ``levels/<label>.npz`` the arrays of one vertebra;
``networks.safetensors`` the networks trained for this patient, if there are any.

Arrays are stored uncompressed, so that a case is read in about a second, and without pickle: a case from elsewhere
can hold wrong numbers, but no code.
"""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from radgs_core.case import Case, Vertebra
from radgs_core.errors import InputError
from radgs_core.geometry.rigid import checked_rigid
from radgs_core.io import atomic
from radgs_core.io.label_schemes import LEVELS
from radgs_core.io.sha256 import sha256_of
from radgs_core.networks import Networks
from radgs_core.radgs.gaussians import RadiativeGaussians
from radgs_core.volume import Volume

SCHEMA_VERSION = 1
MANIFEST = "case.json"
BODY = "body.npz"
NETWORKS = "networks.safetensors"


def check_destination(path: Path) -> None:
    """Refuse a path at which no case can be saved; worth asking before minutes of preparation.

    Raises:
        InputError: something else than a case or an empty folder is there, or no folder can be made there.
    """
    if path.exists() and not (path / MANIFEST).is_file() and not (path.is_dir() and not any(path.iterdir())):
        raise InputError(f"{path} exists and is not a case; choose another folder or remove it.")
    atomic.check_destination(path, replaces_folder_with=MANIFEST)


def save_case(case: Case, path: Path) -> None:
    """Write a case; an existing case at ``path`` is replaced as a whole.

    Raises:
        InputError: something else than a case is at ``path``, or it cannot be written.
    """
    check_destination(path)
    with atomic.written_atomically(path, replaces_folder_with=MANIFEST) as folder:
        (folder / "levels").mkdir(parents=True)
        np.savez(folder / BODY, data=case.body_hu.data, T_ct_voxel=case.body_hu.T_ct_voxel)
        for label, vertebra in case.levels.items():
            np.savez(folder / _level_file(label), allow_pickle=False, **_vertebra_arrays(vertebra))
        names = _file_names(case.levels)
        if case.networks is not None:
            case.networks.save(folder / NETWORKS)
            names.append(NETWORKS)
        manifest = {
            "schema_version": SCHEMA_VERSION,
            "levels": list(case.levels),
            "provenance": dict(case.provenance),
            "sha256": {name: sha256_of(folder / name) for name in names},
        }
        (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")


def load_case(path: Path) -> Case:
    """Read a case and check schema version, hashes, shapes and types.

    Raises:
        InputError: not a case, of another schema version, incomplete or changed since it was written.
    """
    manifest = _read_manifest(path)
    labels = manifest["levels"]
    for name in _file_names(labels):
        _check_hash(path / name, manifest["sha256"].get(name))
    body = _Arrays(path / BODY)
    levels = {label: _read_vertebra(_Arrays(path / _level_file(label)), label) for label in labels}
    networks = None
    if NETWORKS in manifest["sha256"]:
        _check_hash(path / NETWORKS, manifest["sha256"][NETWORKS])
        networks = Networks.load(path / NETWORKS)
    return Case(levels, body.volume("data", np.int16), manifest["provenance"], networks)


def _read_manifest(path: Path) -> dict[str, Any]:
    file = path / MANIFEST
    if not file.is_file():
        raise InputError(f"{path} is not a case (it has no {MANIFEST}); make one with radgs-reg prepare.")
    try:
        manifest = json.loads(file.read_text())
    except (ValueError, RecursionError, OSError) as error:
        raise _damaged(file, "is not readable JSON") from error
    if not isinstance(manifest, dict) or not isinstance(manifest.get("schema_version"), int):
        raise _damaged(file, "has no schema version")
    if manifest["schema_version"] != SCHEMA_VERSION:
        raise InputError(
            f"{path} has schema version {manifest['schema_version']}, but this program reads version {SCHEMA_VERSION};"
            " run radgs-reg prepare again."
        )
    labels = manifest.get("levels")
    if not isinstance(labels, list) or not labels or not all(label in LEVELS for label in labels):
        raise _damaged(file, "does not list its levels")
    for key in ("sha256", "provenance"):
        if not isinstance(manifest.get(key), dict):
            raise _damaged(file, f"has no {key}")
    return manifest


def _check_hash(file: Path, expected: object) -> None:
    if not file.is_file():
        raise _damaged(file, "is missing")
    if sha256_of(file) != expected:
        raise _damaged(file, "was changed after the case was prepared (its sha256 differs)")


def _vertebra_arrays(vertebra: Vertebra) -> dict[str, NDArray]:
    gaussians = vertebra.gaussians
    return {
        "T_ct_vertebra": vertebra.T_ct_vertebra,
        "means_mm": gaussians.means_mm.detach().cpu().numpy(),
        "scales_mm": gaussians.scales_mm.detach().cpu().numpy(),
        "quaternions": gaussians.quaternions.detach().cpu().numpy(),
        "densities_per_mm": gaussians.densities_per_mm.detach().cpu().numpy(),
        "surface_points_mm": vertebra.surface_points_mm,
        "mesh_vertices_mm": vertebra.mesh_vertices_mm,
        "mesh_faces": vertebra.mesh_faces,
        "bone_hu": vertebra.bone_hu.data,
        "fill_hu": vertebra.fill_hu.data,
        "T_ct_voxel": vertebra.bone_hu.T_ct_voxel,
    }


def _read_vertebra(arrays: "_Arrays", label: str) -> Vertebra:
    means = arrays.checked("means_mm", np.float32, (None, 3))
    count = len(means)
    bone, fill = arrays.volume("bone_hu", np.int16), arrays.volume("fill_hu", np.int16)
    vertices = arrays.checked("mesh_vertices_mm", np.float32, (None, 3))
    faces = arrays.checked("mesh_faces", np.int32, (None, 3))
    if bone.data.shape != fill.data.shape or np.array_equal(bone.data, fill.data):
        raise _damaged(arrays.file, "holds crops that do not belong together")
    if faces.size and not 0 <= faces.min() <= faces.max() < len(vertices):
        raise _damaged(arrays.file, "holds a mesh whose faces point to missing vertices")
    return Vertebra(
        label=label,
        T_ct_vertebra=checked_rigid(
            arrays.checked("T_ct_vertebra", np.float64, (4, 4)), f"{arrays.file}: T_ct_vertebra"
        ),
        gaussians=RadiativeGaussians(
            torch.from_numpy(means),
            torch.from_numpy(arrays.checked("scales_mm", np.float32, (count, 3))),
            torch.from_numpy(arrays.checked("quaternions", np.float32, (count, 4))),
            torch.from_numpy(arrays.checked("densities_per_mm", np.float32, (count,))),
        ),
        surface_points_mm=arrays.checked("surface_points_mm", np.float32, (None, 3)),
        mesh_vertices_mm=vertices,
        mesh_faces=faces,
        bone_hu=bone,
        fill_hu=fill,
    )


class _Arrays:
    """The arrays of one npz file, each checked when it is asked for."""

    def __init__(self, file: Path) -> None:
        self.file = file
        try:
            with np.load(file, allow_pickle=False) as archive:
                self._arrays = {name: archive[name] for name in archive.files}
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise _damaged(file, "is not a readable npz file") from error

    def checked(self, name: str, dtype: type, shape: tuple[int | None, ...]) -> NDArray:
        """An array of this type and shape (None: any length), all its numbers finite."""
        array = self._arrays.get(name)
        if array is None:
            raise _damaged(self.file, f"has no array {name}")
        fits = len(array.shape) == len(shape) and all(
            wanted in (None, found) for found, wanted in zip(array.shape, shape, strict=True)
        )
        if array.dtype != dtype or not fits:
            raise _damaged(self.file, f"holds {name} as {array.dtype} {array.shape}")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise _damaged(self.file, f"holds NaN or infinite numbers in {name}")
        return array

    def volume(self, name: str, dtype: type) -> Volume:
        """An (i, j, k) array and the file's affine."""
        affine = self.checked("T_ct_voxel", np.float64, (4, 4))
        if not np.array_equal(affine[3], [0, 0, 0, 1]) or np.linalg.det(affine) == 0:
            raise _damaged(self.file, "holds an affine that cannot be inverted")
        return Volume(self.checked(name, dtype, (None, None, None)), affine)


def _damaged(file: Path, what: str) -> InputError:
    return InputError(f"{file} {what}; run radgs-reg prepare again.")


def _level_file(label: str) -> str:
    return f"levels/{label}.npz"


def _file_names(labels: Any) -> list[str]:
    return [BODY, *map(_level_file, labels)]
