"""Cases of many patients: which levels, kept and used again, unusable patients left out."""

import logging
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch

from radgs_core.errors import InputError
from radgs_core.io.labels import LabelMap
from radgs_core.radgs.gaussians import RadiativeGaussians
from radgs_core.training import prior_cases as module
from radgs_core.training.level_runs import level_runs
from radgs_core.training.prior_cases import prior_cases
from radgs_core.training.processes import Process
from radgs_core.volume import Volume

RAS_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
ALONE = Process(0, 1)


def silent(fraction: float, message: str) -> None:
    """Progress that nobody watches."""


@pytest.fixture(autouse=True)
def fit_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    gaussians = RadiativeGaussians(torch.zeros(1, 3), torch.ones(1, 3), torch.eye(4)[:1], torch.ones(1))
    monkeypatch.setattr("radgs_core.preparation.prepare.fit_gaussians", lambda attenuation, progress: gaussians)


@pytest.fixture
def data(tmp_path: Path, phantom: tuple[Volume, LabelMap]) -> Path:
    """Three patients; the last one's labels are of another grid."""
    ct, labels = phantom
    affine = RAS_LPS @ ct.T_ct_voxel
    for number in range(3):
        folder = tmp_path / "data" / f"p{number}"
        folder.mkdir(parents=True)
        nibabel.Nifti1Image(ct.data + np.int16(number), affine).to_filename(folder / "ct.nii.gz")
        stored = labels.volume.data if number < 2 else labels.volume.data[:-1]
        nibabel.Nifti1Image(stored, affine).to_filename(folder / "labels.nii.gz")
    return tmp_path / "data"


def test_usable_patients_become_cases(
    data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with caplog.at_level(logging.WARNING):
        cases = prior_cases(data, tmp_path / "kept", 0.5, 0, ALONE, silent)
    (warning,) = [record.getMessage() for record in caplog.records]
    assert str(data / "p2" / "ct.nii.gz") in warning and "is not on the CT's grid" in warning
    assert len(cases.training) == len(cases.validation) == 1
    (one,), (other,) = cases.training, cases.validation
    assert list(one.levels) == ["T12", "L1", "L2"]
    assert one.provenance["inputs"]["ct"]["sha256"] != other.provenance["inputs"]["ct"]["sha256"]
    assert one.provenance["parameters"]["levels"] == ["T12", "L1", "L2"]

    def refuse(*arguments: object) -> None:
        raise AssertionError("prepared anew")

    with monkeypatch.context() as patched:
        patched.setattr(module, "prepare_case", refuse)
        patched.setattr(module, "read_patient", refuse)
        again = prior_cases(data, tmp_path / "kept", 0.5, 0, ALONE, silent)
    np.testing.assert_array_equal(again.training[0].body_hu.data, one.body_hu.data)
    # what another version has prepared is prepared anew
    records = list((tmp_path / "kept").glob("*/patient.json"))
    records[0].write_text(records[0].read_text().replace('"versions": {', '"versions": {"old": "1",'))
    with monkeypatch.context() as patched, pytest.raises(AssertionError, match="prepared anew"):
        patched.setattr(module, "read_patient", refuse)
        prior_cases(data, tmp_path / "kept", 0.5, 0, ALONE, silent)
    # a patient whose files have changed is another one
    image = nibabel.load(data / "p0" / "ct.nii.gz")
    nibabel.Nifti1Image(np.asarray(image.dataobj) + np.int16(7), image.affine).to_filename(data / "p0" / "ct.nii.gz")
    changed = prior_cases(data, tmp_path / "kept", 0.5, 0, ALONE, silent)
    hashes = {case.provenance["inputs"]["ct"]["sha256"] for case in (*changed.training, *changed.validation)}
    assert len(hashes & {c.provenance["inputs"]["ct"]["sha256"] for c in (one, other)}) == 1


def test_processes_share_the_work(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared = []
    original = module.read_patient
    monkeypatch.setattr(module, "read_patient", lambda scan: (prepared.append(scan.patient), original(scan))[1])
    monkeypatch.setattr(module._Patient, "awaited", lambda self: self._record() or module._Record(("T12_L2",), ""))
    prior_cases(data, tmp_path / "kept", 0.5, 0, Process(1, 2), silent)
    assert prepared == ["p1"]
    prior_cases(data, tmp_path / "kept", 0.5, 0, Process(0, 2), silent)
    assert prepared == ["p1", "p0", "p2"]


def test_too_few_patients_are_refused(data: Path, tmp_path: Path) -> None:
    (data / "p1" / "labels.nii.gz").write_bytes(b"nothing")
    with pytest.raises(InputError, match="only one patient below"):
        prior_cases(data, tmp_path / "kept", 0.5, 0, ALONE, silent)
    (data / "p0" / "labels.nii.gz").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"of 3 patients below .* none can be used"):
        prior_cases(data, tmp_path / "kept", 0.5, 0, ALONE, silent)


def labels_of(present: list[str], cut_off: str) -> LabelMap:
    """A column of cubes, from foot to head; one touches the border."""
    data = np.zeros((10, 10, 8 * len(present) + 2), np.uint8)
    for number, level in enumerate(present):
        first = 8 * (len(present) - number) - 6
        data[0 if level == cut_off else 1 : 8, 1:8, first : first + 7] = number + 1
    return LabelMap(Volume(data, np.eye(4)), {level: n + 1 for n, level in enumerate(present)}, "verse")


@pytest.mark.parametrize(
    ("present", "cut_off", "runs"),
    [
        (["T12", "L1", "L2"], "", [("T12", "L1", "L2")]),
        (["T11", "T12", "L1", "L2"], "T12", [("T11",), ("L1", "L2")]),
        (["T12", "T13", "L1"], "", [("T12", "T13", "L1")]),
        (["T12", "T13", "L1"], "T13", [("T12",), ("L1",)]),
        ([f"T{n}" for n in range(3, 10)], "", [("T3", "T4", "T5", "T6"), ("T7", "T8", "T9")]),
        (["T10", "L1"], "", [("T10",), ("L1",)]),
        (["C1", "C2", "C3", "S1"], "", [("C3",)]),
        (["L1"], "L1", []),
    ],
)
def test_level_runs(present: list[str], cut_off: str, runs: list[tuple[str, ...]]) -> None:
    assert level_runs(labels_of(present, cut_off)) == runs
