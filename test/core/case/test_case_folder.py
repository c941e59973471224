import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from radgs_core.case import Case
from radgs_core.case_folder import check_destination
from radgs_core.errors import InputError
from radgs_core.io.sha256 import sha256_of
from radgs_core.volume import Volume


@pytest.fixture(scope="module")
def saved(phantom_case: Case, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cases") / "phantom"
    phantom_case.save(path)
    return path


@pytest.fixture
def copy(saved: Path, tmp_path: Path) -> Path:
    """A case that a test may damage."""
    return Path(shutil.copytree(saved, tmp_path / "case"))


def assert_same(first: Volume, second: Volume) -> None:
    assert first.data.dtype == second.data.dtype
    assert np.array_equal(first.data, second.data)
    assert np.array_equal(first.T_ct_voxel, second.T_ct_voxel)


def test_round_trip(phantom_case: Case, saved: Path) -> None:
    case = Case.load(saved)
    assert list(case.levels) == ["T12", "L1"]
    assert case.provenance == phantom_case.provenance
    assert_same(case.body_hu, phantom_case.body_hu)
    for label, expected in phantom_case.levels.items():
        vertebra = case.levels[label]
        assert vertebra.label == label
        assert_same(vertebra.bone_hu, expected.bone_hu)
        assert_same(vertebra.fill_hu, expected.fill_hu)
        for name in ("T_ct_vertebra", "surface_points_mm", "mesh_vertices_mm", "mesh_faces"):
            assert np.array_equal(getattr(vertebra, name), getattr(expected, name)), name
        for name in ("means_mm", "scales_mm", "quaternions", "densities_per_mm"):
            assert torch.equal(getattr(vertebra.gaussians, name), getattr(expected.gaussians, name)), name


def test_a_case_may_be_replaced(phantom_case: Case, copy: Path) -> None:
    (copy / "body.npz").unlink()
    phantom_case.save(copy)
    assert list(Case.load(copy).levels) == ["T12", "L1"]


def test_an_empty_folder_may_be_used(phantom_case: Case, tmp_path: Path) -> None:
    phantom_case.save(tmp_path)
    Case.load(tmp_path)


def test_other_folders_are_not_overwritten(phantom_case: Case, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    for attempt in (phantom_case.save, check_destination):
        with pytest.raises(InputError, match="not a case; choose another folder"):
            attempt(tmp_path)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_a_file_is_not_overwritten(phantom_case: Case, tmp_path: Path) -> None:
    file = tmp_path / "ct.nii"
    file.write_bytes(b"ct")
    with pytest.raises(InputError, match="not a case"):
        phantom_case.save(file)
    assert file.read_bytes() == b"ct"


def test_what_failed_leaves_nothing_behind(tmp_path: Path, phantom_case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("radgs_core.case_folder._vertebra_arrays", no_space)
    with pytest.raises(InputError, match="No space left"):
        phantom_case.save(tmp_path / "case")
    assert not list(tmp_path.iterdir())


def edit_manifest(path: Path, **entries: object) -> None:
    file = path / "case.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **entries}))


def rewrite_arrays(path: Path, name: str, **arrays: object) -> None:
    """Replace arrays of a level and its hash, as somebody who edits cases on purpose would."""
    file = path / name
    with np.load(file) as archive:
        content = {**archive, **arrays}
    np.savez(file, **{key: value for key, value in content.items() if value is not None})
    hashes = json.loads((path / "case.json").read_text())["sha256"]
    edit_manifest(path, sha256={**hashes, name: sha256_of(file)})


def flip_a_bit(path: Path) -> None:
    content = bytearray((path / "levels" / "L1.npz").read_bytes())
    content[len(content) // 2] ^= 1
    (path / "levels" / "L1.npz").write_bytes(content)


L1 = "levels/L1.npz"
NAN_POINTS = np.full((600, 3), np.nan, np.float32)
DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing manifest": (lambda p: (p / "case.json").unlink(), "no case.json"),
    "manifest cut off": (lambda p: (p / "case.json").write_text('{"schema_version": 1,'), "not readable JSON"),
    "manifest nested": (lambda p: (p / "case.json").write_text("[" * 100000), "not readable JSON"),
    "manifest binary": (lambda p: (p / "case.json").write_bytes(b"\xff\xfe\x00"), "not readable JSON"),
    "manifest no object": (lambda p: (p / "case.json").write_text("[]"), "no schema version"),
    "other schema": (lambda p: edit_manifest(p, schema_version=99), "schema version 99"),
    "no levels": (lambda p: edit_manifest(p, levels=[]), "does not list its levels"),
    "path as level": (lambda p: edit_manifest(p, levels=["../../L1"]), "does not list its levels"),
    "no hashes": (lambda p: edit_manifest(p, sha256=None), "has no sha256"),
    "no provenance": (lambda p: edit_manifest(p, provenance=3), "has no provenance"),
    "a level too many": (lambda p: edit_manifest(p, levels=["L1", "L2"]), "L2.npz is missing"),
    "missing body": (lambda p: (p / "body.npz").unlink(), "body.npz is missing"),
    "changed bit": (flip_a_bit, "sha256 differs"),
    "no array": (lambda p: rewrite_arrays(p, L1, means_mm=None), "no array means_mm"),
    "other shape": (lambda p: rewrite_arrays(p, L1, scales_mm=np.ones((3, 3), np.float32)), r"scales_mm as float32"),
    "other type": (lambda p: rewrite_arrays(p, L1, fill_hu=np.zeros((4, 4, 4))), "fill_hu as float64"),
    "NaN": (lambda p: rewrite_arrays(p, L1, surface_points_mm=NAN_POINTS), "NaN or infinite"),
    "pickle": (lambda p: rewrite_arrays(p, L1, means_mm=np.array([{}])), "not a readable npz"),
    "mirrored axes": (lambda p: rewrite_arrays(p, L1, T_ct_vertebra=np.diag([1.0, 1, -1, 1])), "mirrors space"),
    "flat voxels": (lambda p: rewrite_arrays(p, L1, T_ct_voxel=np.diag([1.0, 1, 0, 1])), "cannot be inverted"),
    "no bone": (lambda p: rewrite_arrays(p, L1, bone_hu=np.zeros((4, 4, 4), np.int16)), "do not belong together"),
    "loose mesh": (lambda p: rewrite_arrays(p, L1, mesh_faces=np.full((2, 3), 10**6, np.int32)), "missing vertices"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_does_not_fit_is_said(copy: Path, damage: str) -> None:
    do, message = DAMAGE[damage]
    do(copy)
    with pytest.raises(InputError, match=message) as error:
        Case.load(copy)
    text = str(error.value)
    assert str(copy) in text and "\n" not in text
    assert damage == "mirrored axes" or "radgs-reg prepare" in text


def test_a_damaged_archive_with_the_right_hash_is_refused(copy: Path) -> None:
    (copy / L1).write_bytes(b"PK\x03\x04 nothing else")
    hashes = json.loads((copy / "case.json").read_text())["sha256"]
    edit_manifest(copy, sha256={**hashes, L1: sha256_of(copy / L1)})
    with pytest.raises(InputError, match="not a readable npz"):
        Case.load(copy)


@pytest.mark.parametrize("name", ["nowhere", "file"])
def test_a_path_without_a_case_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("no case")
    with pytest.raises(InputError, match="is not a case"):
        Case.load(tmp_path / name)


def test_arrays_are_stored_uncompressed(saved: Path) -> None:
    """Reading them takes a second, not ten."""
    with zipfile.ZipFile(saved / "body.npz") as archive:
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}
