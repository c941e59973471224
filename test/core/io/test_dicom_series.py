from types import SimpleNamespace

import numpy as np
import pydicom
import pytest
from dicom_writer import ct_slice, ct_stack, save_all
from pydicom.uid import ImplicitVRLittleEndian, RLELossless
from scipy.spatial.transform import Rotation

from radgs_core.io import dicom_file
from radgs_core.io.ct import read_ct

OBLIQUE = Rotation.from_rotvec([0.3, -0.5, 0.2]).as_matrix()
TILT = Rotation.from_rotvec([np.radians(18), 0, 0]).as_matrix()


@pytest.mark.parametrize(
    ("directions", "step"),
    [
        pytest.param(((1, 0, 0), (0, 1, 0)), (0, 0, 2), id="axial"),
        pytest.param(((1, 0, 0), (0, 1, 0)), (0, 0, -2), id="axial, numbered towards the feet"),
        pytest.param(((-1, 0, 0), (0, -1, 0)), (0, 0, 2), id="prone"),
        pytest.param(((1, 0, 0), (0, 0, -1)), (0, 1.5, 0), id="coronal"),
        pytest.param((tuple(OBLIQUE[:, 0]), tuple(OBLIQUE[:, 1])), tuple(1.7 * OBLIQUE[:, 2]), id="oblique"),
        pytest.param((tuple(TILT[:, 0]), tuple(TILT[:, 1])), (0, 0, 3), id="tilted gantry"),
    ],
)
def test_voxels_lie_where_the_headers_say(tmp_path, directions, step):
    datasets = ct_stack(step=step, directions=directions)
    save_all(tmp_path, datasets)
    volume = read_ct(tmp_path)
    assert volume.data.shape == (9, 6, 5)
    assert volume.data.dtype == np.int16
    assert np.linalg.det(volume.T_ct_voxel[:3, :3]) > 0
    for k, ds in enumerate(datasets):
        for row, column in ((0, 0), (4, 7), (5, 1)):
            # PS3.3, C.7.6.2.1.1: row spacing belongs to the row index, which runs along a column
            world = (
                np.array(ds.ImagePositionPatient)
                + np.array(directions[0]) * 0.5 * column
                + np.array(directions[1]) * 0.8 * row
            )
            voxel = np.argwhere(volume.data == 1000 * k + 50 * row + column - 1024)
            assert len(voxel) == 1
            np.testing.assert_allclose(volume.points_mm(voxel[0]), world, atol=1e-4)


def test_what_is_no_ct_slice_is_passed_over(tmp_path):
    datasets = ct_stack()
    save_all(tmp_path, datasets)
    expected = read_ct(tmp_path)
    (tmp_path / "notes.txt").write_text("DICM is not at byte 128")
    (tmp_path / ".DS_Store").write_bytes(b"x")
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "subfolder").mkdir()
    scout = ct_slice(np.zeros((60, 90), np.uint16), np.zeros(3), ((1, 0, 0), (0, 0, -1)), series="9.9")
    scout.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    structures = ct_slice(np.zeros((6, 9), np.uint16), np.zeros(3), series="8.8")
    structures.Modality = "SEG"
    report = ct_slice(np.zeros((6, 9), np.uint16), np.zeros(3), series="7.7")
    report.file_meta.MediaStorageSOPClassUID = report.SOPClassUID = "1.2.840.10008.5.1.4.1.1.88.67"
    for keyword in ("Rows", "Columns", "PixelData", "ImagePositionPatient"):
        delattr(report, keyword)
    save_all(tmp_path, [scout, structures, report], prefix="DICOMDIR")
    volume = read_ct(tmp_path)
    np.testing.assert_array_equal(volume.data, expected.data)
    np.testing.assert_array_equal(volume.T_ct_voxel, expected.T_ct_voxel)


def test_series_without_uids_are_read(tmp_path):
    datasets = ct_stack(series="")  # as anonymisers leave them
    save_all(tmp_path, datasets)
    assert read_ct(tmp_path).data.shape == (9, 6, 5)


def test_every_slice_has_its_own_rescaling_and_stays_within_int16(tmp_path):
    datasets = ct_stack()
    datasets[1].RescaleIntercept, datasets[2].RescaleSlope = -1000, 20
    save_all(tmp_path, datasets)
    volume = read_ct(tmp_path)
    assert volume.data.dtype == np.int16
    assert volume.data[0, 0].tolist() == [-1024, 0, 32767, 3000 - 1024, 4000 - 1024]


def test_fractional_rescaling_gives_float32(tmp_path):
    datasets = ct_stack()
    for ds in datasets:
        ds.RescaleSlope = 0.25
    save_all(tmp_path, datasets)
    volume = read_ct(tmp_path)
    assert volume.data.dtype == np.float32
    assert volume.data[3, 2, 1] == 0.25 * 1103 - 1024


def test_signed_and_compressed_slices_are_read(tmp_path):
    datasets = [ct_slice(np.full((6, 9), -7 - k, np.int16), np.array([0, 0, k * 1.0])) for k in range(3)]
    for ds in datasets:
        ds.compress(RLELossless)
    save_all(tmp_path, datasets)
    assert read_ct(tmp_path).data[4, 4].tolist() == [-1031, -1032, -1033]


def test_a_missing_folder_is_refused(tmp_path, refused):
    with refused(tmp_path / "nowhere", "does not exist", "give the folder"):
        read_ct(tmp_path / "nowhere")


def test_an_empty_folder_is_refused(tmp_path, refused):
    with refused(tmp_path, "no CT slices", "give the folder"):
        read_ct(tmp_path)
    (tmp_path / "series1").mkdir()
    with refused(tmp_path, "subfolders"):
        read_ct(tmp_path)


def test_another_modality_is_refused(tmp_path, refused):
    datasets = ct_stack()
    for ds in datasets:
        ds.Modality = "MR"
    save_all(tmp_path, datasets)
    with refused(tmp_path, "MR", "no CT"):
        read_ct(tmp_path)


@pytest.mark.parametrize("missing", [1, 3])
@pytest.mark.parametrize("count", [5, 20])
def test_a_gap_is_refused(tmp_path, refused, missing, count):
    datasets = ct_stack(count)
    paths = save_all(tmp_path, datasets)
    paths[missing].unlink()
    with refused(tmp_path, "gap of 4.00 mm", paths[missing - 1].name, paths[missing + 1].name, "complete series"):
        read_ct(tmp_path)


def test_two_series_are_refused_by_name(tmp_path, refused):
    save_all(tmp_path, ct_stack(), prefix="a")
    save_all(tmp_path, ct_stack(series="1.2.4", step=(0, 0, 3)), prefix="b")
    with refused(tmp_path, "mixes 2 series", "Series 1.2.3", "Series 1.2.4", "folder of its own"):
        read_ct(tmp_path)


def test_two_phases_at_the_same_positions_are_refused(tmp_path, refused):
    datasets = ct_stack()
    datasets.append(ct_stack()[2])
    save_all(tmp_path, datasets)
    with refused(tmp_path, "same position", "choose one"):
        read_ct(tmp_path)


def test_a_single_slice_is_refused(tmp_path, refused):
    save_all(tmp_path, ct_stack(1))
    with refused(tmp_path, "single CT slice", "whole series"):
        read_ct(tmp_path)


def test_slices_that_differ_are_refused(tmp_path, refused):
    other_size = ct_stack()
    other_size[2] = ct_slice(np.zeros((6, 10), np.uint16), np.array([-30.0, 40.0, -496.0]))
    save_all(tmp_path / "size", other_size)
    with refused("different size"):
        read_ct(tmp_path / "size")
    other_spacing = ct_stack()
    other_spacing[2].PixelSpacing = [0.8, 0.6]
    save_all(tmp_path / "spacing", other_spacing)
    with refused("pixel spacing"):
        read_ct(tmp_path / "spacing")
    turned = ct_stack()
    turned[2].ImageOrientationPatient = [0, 1, 0, -1, 0, 0]
    save_all(tmp_path / "turned", turned)
    with refused("different orientation"):
        read_ct(tmp_path / "turned")


def test_uneven_slices_are_refused(tmp_path, refused):
    datasets = ct_stack()
    datasets[2].ImagePositionPatient = [-30, 40, -495.7]
    paths = save_all(tmp_path / "along", datasets)
    with refused("unevenly spaced", paths[2].name, "constant spacing"):
        read_ct(tmp_path / "along")
    datasets = ct_stack()
    datasets[2].ImagePositionPatient = [-29, 40, -496]
    paths = save_all(tmp_path / "across", datasets)
    with refused("unevenly spaced", paths[2].name):
        read_ct(tmp_path / "across")


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("ImagePositionPatient", None),
        ("ImageOrientationPatient", None),
        ("PixelSpacing", None),
        ("PixelSpacing", [0, 0.5]),
        ("ImageOrientationPatient", [1, 0, 0, 0.5, 0.5, 0]),
        ("ImagePositionPatient", [1, 2]),
        ("RescaleSlope", 0),
        ("NumberOfFrames", 20),
    ],
)
def test_headers_without_a_usable_geometry_are_refused(tmp_path, refused, keyword, value):
    datasets = ct_stack()
    if value is None:
        delattr(datasets[2], keyword)
    else:
        setattr(datasets[2], keyword, value)
    paths = save_all(tmp_path, datasets)
    with refused(paths[2], "export"):
        read_ct(tmp_path)


def test_truncated_files_are_refused_wherever_they_end(tmp_path, refused):
    paths = save_all(tmp_path, ct_stack())
    outermost = paths[-1]  # which, unlike one in the middle, would not leave a gap
    content = outermost.read_bytes()
    for length in [*range(132, len(content), 31), len(content) - 3]:
        outermost.write_bytes(content[:length])
        with refused(outermost, "export"):
            read_ct(tmp_path)


def test_a_file_that_only_is_named_like_dicom_is_refused(tmp_path, refused):
    save_all(tmp_path, ct_stack())
    broken = tmp_path / "image.dcm"
    broken.write_bytes(b"not DICOM")
    with refused(broken, "export the series anew"):
        read_ct(tmp_path)


def test_endlessly_nested_sequences_are_refused(tmp_path, refused):
    ds = ct_stack(1)[0]
    ds.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    del ds.PixelData
    path = tmp_path / "nested"
    pydicom.dcmwrite(path, ds, enforce_file_format=True)
    sequence_of_undefined_length = b"\x08\x00\x11\x11" + b"\xff" * 4 + b"\xfe\xff\x00\xe0" + b"\xff" * 4
    path.write_bytes(path.read_bytes() + sequence_of_undefined_length * 5000)
    with refused(path, "RecursionError", "export it anew"):
        read_ct(tmp_path)


def test_a_missing_codec_is_named_with_its_remedy(tmp_path, refused, monkeypatch):
    paths = save_all(tmp_path, ct_stack())
    monkeypatch.setattr(dicom_file, "get_decoder", lambda syntax: SimpleNamespace(is_available=False))
    with refused(paths[0], "Explicit VR Little Endian", "pip install python-gdcm"):
        read_ct(tmp_path)


def test_a_compression_nobody_decodes_is_refused(tmp_path, refused):
    datasets = ct_stack()
    paths = save_all(tmp_path, datasets)
    datasets[0].file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.100"  # MPEG-2
    datasets[0].PixelData = pydicom.encaps.encapsulate([b"film"])
    datasets[0]["PixelData"].is_undefined_length = True
    pydicom.dcmwrite(paths[0], datasets[0], enforce_file_format=True)
    with refused(paths[0], "MPEG2", "export it uncompressed"):
        read_ct(tmp_path)


def test_colour_slices_are_refused(tmp_path, refused):
    datasets = ct_stack()
    datasets[1].SamplesPerPixel = 3
    datasets[1].PhotometricInterpretation = "RGB"
    paths = save_all(tmp_path, datasets)
    with refused(paths[1], "colour", "greyscale"):
        read_ct(tmp_path)
