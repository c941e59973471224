import dataclasses
from pathlib import Path

import nibabel
import numpy as np
import pytest

from radgs_core.errors import InputError
from radgs_core.io.label_schemes import TOTALSEGMENTATOR
from radgs_core.io.labels import LabelMap
from radgs_core.training.patients import PatientFiles, find_patients, read_patient, split
from radgs_core.volume import Volume

RAS_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


@pytest.fixture
def stored(tmp_path: Path, phantom: tuple[Volume, LabelMap]) -> PatientFiles:
    """The phantom as TotalSegmentator lays it out, one mask with another order of axes."""
    ct, labels = phantom
    masks = tmp_path / "s0007" / "segmentations"
    masks.mkdir(parents=True)
    affine = RAS_LPS @ ct.T_ct_voxel
    nibabel.save(nibabel.Nifti1Image(ct.data, affine), masks.parent / "ct.nii.gz")
    for level, value in {**labels.value_of_level, "T5": 99}.items():  # T5 is empty
        image = nibabel.Nifti1Image((labels.volume.data == value).astype(np.uint8), affine)
        if level == "L1":
            image = image.as_reoriented(nibabel.orientations.axcodes2ornt(("P", "S", "R")))
        nibabel.save(image, masks / f"vertebrae_{level}.nii.gz")
    nibabel.save(nibabel.Nifti1Image(np.ones(ct.data.shape, np.uint8), affine), masks / "liver.nii.gz")
    (files,) = find_patients(tmp_path)
    return files


def test_masks_are_joined(stored: PatientFiles, phantom: tuple[Volume, LabelMap]) -> None:
    ct, labels = read_patient(stored)
    np.testing.assert_array_equal(ct.data, phantom[0].data)
    np.testing.assert_allclose(ct.T_ct_voxel, phantom[0].T_ct_voxel)
    expected = phantom[1]
    assert list(labels.value_of_level) == ["T12", "L1", "L2"] and labels.scheme == "totalsegmentator"
    for level, value in labels.value_of_level.items():
        assert value == TOTALSEGMENTATOR.value_of_level[level]
        np.testing.assert_array_equal(
            labels.volume.data == value, expected.volume.data == expected.value_of_level[level]
        )
    assert labels.volume.data.dtype == np.uint8
    np.testing.assert_array_equal(labels.volume.T_ct_voxel, ct.T_ct_voxel)


def test_masks_that_are_none_are_refused(stored: PatientFiles) -> None:
    image = nibabel.load(stored.labels / "vertebrae_L2.nii.gz")
    data = np.asarray(image.dataobj).copy()
    several = data.copy()
    several[0, 0, 0] = 2
    nibabel.save(nibabel.Nifti1Image(several, image.affine), stored.labels / "vertebrae_L2.nii.gz")
    with pytest.raises(InputError, match=r"vertebrae_L2.nii.gz is no binary mask"):
        read_patient(stored)
    nibabel.save(nibabel.Nifti1Image(data[:-1], image.affine), stored.labels / "vertebrae_L2.nii.gz")
    with pytest.raises(InputError, match=r"vertebrae_L2.nii.gz is not on the CT's grid"):
        read_patient(stored)
    for level in ("T12", "L1", "L2"):
        (stored.labels / f"vertebrae_{level}.nii.gz").unlink()
    with pytest.raises(InputError, match=r"segmentations shows no vertebra"):
        read_patient(stored)


def test_label_maps_are_read_in_their_numbering(tmp_path: Path, phantom: tuple[Volume, LabelMap]) -> None:
    affine = RAS_LPS @ phantom[0].T_ct_voxel
    nibabel.save(nibabel.Nifti1Image(phantom[0].data, affine), tmp_path / "a.nii.gz")
    nibabel.save(nibabel.Nifti1Image(phantom[1].volume.data, affine), tmp_path / "a_seg.nii.gz")
    (files,) = find_patients(tmp_path)
    _, labels = read_patient(files)
    assert dict(labels.value_of_level) == dict(phantom[1].value_of_level)
    with pytest.raises(InputError, match="neither auto"):
        read_patient(dataclasses.replace(files, scheme="none"))


def scans(count: int, of_each: int) -> list[PatientFiles]:
    return [PatientFiles(f"p{n}", Path(f"{n}-{k}"), Path(), "verse") for n in range(count) for k in range(of_each)]


@pytest.mark.parametrize("seed", range(5))
def test_split_by_patient(seed: int) -> None:
    given = scans(10, 3)
    divided = split(given, 0.2, seed)
    apart = {scan.patient for scan in divided.training}, {scan.patient for scan in divided.validation}
    assert len(apart[1]) == 2 and not apart[0] & apart[1]
    assert sorted(divided.training + divided.validation, key=lambda scan: scan.ct) == sorted(given, key=lambda s: s.ct)
    assert split(given[::-1], 0.2, seed) == divided


def test_split_depends_on_the_seed_and_leaves_no_side_empty() -> None:
    given = scans(10, 1)
    assert len({split(given, 0.2, seed).validation for seed in range(10)}) > 3
    assert len(split(given, 0.001, 0).validation) == len(split(given, 0.999, 0).training) == 1
    for few, share in ((scans(1, 4), 0.5), (given, 0.0), (given, 1.0)):
        with pytest.raises(InputError):
            split(few, share, 0)
