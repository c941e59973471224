import cv2
import numpy as np
import pydicom
import pytest
from dicom_writer import ct_slice

from radgs_core.geometry.camera import XrayCamera
from radgs_core.io.xray_image import read_xray, write_xray

WIDTH, HEIGHT = 60, 40
COUNTS = np.random.default_rng(0).integers(0, 4000, (HEIGHT, WIDTH)).astype(np.uint16)


def camera(intensity="transmission", width=WIDTH):
    matrix = np.array([[1700.0, 0, 30], [0, 1700, 20], [0, 0, 1]])
    return XrayCamera(width, HEIGHT, matrix, np.eye(4), intensity, "geometry.yaml, view ap")


@pytest.mark.parametrize("suffix", [".png", ".tif", ".tiff", ".npy", ".PNG"])
def test_written_images_are_read_back_exactly(tmp_path, suffix):
    path = tmp_path / f"ap{suffix}"
    write_xray(path, COUNTS.astype(np.float32))
    pixels = read_xray(path, camera())
    assert pixels.dtype == np.float32
    np.testing.assert_array_equal(pixels, COUNTS)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_npy_keeps_fractions_and_signs(tmp_path):
    line_integral = (COUNTS / 700 - 0.1).astype(np.float32)
    write_xray(tmp_path / "ap.npy", line_integral)
    np.testing.assert_array_equal(read_xray(tmp_path / "ap.npy", camera()), line_integral)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_8_bit_images_are_read(tmp_path, suffix):
    grey = (COUNTS // 16).astype(np.uint8)
    cv2.imwrite(str(tmp_path / f"ap{suffix}"), grey)
    np.testing.assert_array_equal(read_xray(tmp_path / f"ap{suffix}", camera()), grey)


@pytest.mark.parametrize(
    ("name", "pixels", "words"),
    [
        ("ap.jpg", COUNTS, [".png"]),
        ("ap.png", np.where(COUNTS[1, 1] == COUNTS, np.nan, COUNTS), ["NaN"]),
        ("ap.npy", np.where(COUNTS[1, 1] == COUNTS, np.inf, COUNTS), ["infinite"]),
        ("ap.png", COUNTS - 5000.0, [".npy"]),
        ("ap.tif", COUNTS * 100.0, [".npy"]),
        ("ap.png", COUNTS / 500, [".npy"]),
        ("ap.npy", np.zeros((2, 3, 3)), ["two-dimensional"]),
    ],
)
def test_what_the_format_cannot_hold_is_not_written(tmp_path, refused, name, pixels, words):
    with refused(tmp_path / name, *words):
        write_xray(tmp_path / name, pixels)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".png", ".tif", ".npy"])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.7, 0.97, 0.995])
def test_truncated_images_are_refused(tmp_path, refused, suffix, share, capfd):
    path = tmp_path / f"ap{suffix}"
    write_xray(path, COUNTS)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with refused(path, "truncated"):
        read_xray(path, camera())
    assert capfd.readouterr().err == ""


def test_a_truncated_tiff_with_its_directory_first_is_refused(tmp_path, refused):
    def entry(tag, kind, value):
        return tag.to_bytes(2, "little") + kind.to_bytes(2, "little") + b"\1\0\0\0" + value.to_bytes(4, "little")

    tags = [(256, 3, WIDTH), (257, 3, HEIGHT), (258, 3, 16), (259, 3, 1), (262, 3, 1), (273, 4, 200), (277, 3, 1)]
    tags += [(278, 3, HEIGHT), (279, 4, COUNTS.nbytes)]
    header = b"II*\0\x08\0\0\0" + len(tags).to_bytes(2, "little") + b"".join(entry(*tag) for tag in tags) + b"\0" * 4
    content = header.ljust(200, b"\0") + COUNTS.tobytes()
    path = tmp_path / "ap.tif"
    path.write_bytes(content)
    np.testing.assert_array_equal(read_xray(path, camera()), COUNTS)
    path.write_bytes(content[: len(content) // 2])
    with refused(path, "truncated"):
        read_xray(path, camera())


def test_damaged_png_data_are_refused(tmp_path, refused):
    path = tmp_path / "ap.png"
    write_xray(path, COUNTS)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    with refused(path, "damaged"):
        read_xray(path, camera())


def test_another_size_than_the_geometry_is_refused(tmp_path, refused):
    path = tmp_path / "ap.png"
    write_xray(path, COUNTS)
    with refused(path, "60 x 40", "geometry.yaml, view ap says 61 x 40", "correct width"):
        read_xray(path, camera(width=61))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300])
def test_pixels_that_are_no_numbers_are_refused(tmp_path, refused, bad):
    pixels = COUNTS.astype(np.float64)
    pixels[3, 4] = bad
    np.save(tmp_path / "ap.npy", pixels)
    with refused(tmp_path / "ap.npy", "1 NaN or infinite", "replace"):
        read_xray(tmp_path / "ap.npy", camera())


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_colour_is_refused(tmp_path, refused, suffix):
    cv2.imwrite(str(tmp_path / f"ap{suffix}"), np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    with refused(f"ap{suffix}", "colour", "greyscale"):
        read_xray(tmp_path / f"ap{suffix}", camera())


def test_float_tiff_is_refused(tmp_path, refused):
    cv2.imwrite(str(tmp_path / "ap.tif"), np.zeros((HEIGHT, WIDTH), np.float32))
    with refused("ap.tif", "8 or 16 bits"):
        read_xray(tmp_path / "ap.tif", camera())


@pytest.mark.parametrize(
    "content",
    [
        np.zeros((HEIGHT, WIDTH, 3)),
        np.zeros((HEIGHT, WIDTH), complex),
        np.zeros((HEIGHT, WIDTH), bool),
        np.full((HEIGHT, WIDTH), None),
    ],
)
def test_arrays_of_other_kinds_are_refused(tmp_path, refused, content):
    np.save(tmp_path / "ap.npy", content, allow_pickle=True)
    with refused("ap.npy", "save"):
        read_xray(tmp_path / "ap.npy", camera())


def test_other_and_missing_files_are_refused(tmp_path, refused):
    (tmp_path / "ap.txt").write_text("text")
    with refused("ap.txt", "convert"):
        read_xray(tmp_path / "ap.txt", camera())
    with refused("none.png", "does not exist"):
        read_xray(tmp_path / "none.png", camera())
    with refused(tmp_path, "not a file"):
        read_xray(tmp_path, camera())


def xray_dicom(stored, **attributes):
    ds = ct_slice(stored, np.zeros(3))
    ds.Modality = "DX"
    ds.BitsStored, ds.HighBit = 12, 11
    del ds.RescaleSlope, ds.RescaleIntercept
    for keyword, value in attributes.items():
        setattr(ds, keyword, value)
    return ds


def save(path, dataset):
    pydicom.dcmwrite(path, dataset, enforce_file_format=True)
    return path


@pytest.mark.parametrize(
    ("attributes", "intensity", "expected"),
    [
        ({}, "transmission", COUNTS),
        ({}, "attenuation", COUNTS),
        ({"PhotometricInterpretation": "MONOCHROME1"}, "transmission", 4095 - COUNTS),
        ({"RescaleSlope": 2, "RescaleIntercept": -7}, "transmission", 2.0 * COUNTS - 7),
        (
            {"PhotometricInterpretation": "MONOCHROME1", "RescaleSlope": 2, "RescaleIntercept": -7},
            "transmission",
            2.0 * (4095 - COUNTS) - 7,
        ),
        # the sign says what high values mean, however the image is to be shown
        ({"PixelIntensityRelationshipSign": 1, "PhotometricInterpretation": "MONOCHROME1"}, "transmission", COUNTS),
        ({"PixelIntensityRelationshipSign": 1}, "attenuation", 4095 - COUNTS),
        ({"PixelIntensityRelationshipSign": -1}, "attenuation", COUNTS),
        ({"PixelIntensityRelationshipSign": -1}, "transmission", 4095 - COUNTS),
    ],
)
@pytest.mark.parametrize("name", ["ap.dcm", "IM0001"])
def test_dicom_values_run_the_way_the_view_says(tmp_path, name, attributes, intensity, expected):
    path = save(tmp_path / name, xray_dicom(COUNTS, **attributes))
    np.testing.assert_array_equal(read_xray(path, camera(intensity)), expected)


def test_signed_dicom_values_are_turned_within_their_range(tmp_path):
    signed = (COUNTS.astype(np.int16) - 2000).clip(-2048, 2047)
    path = save(tmp_path / "ap.dcm", xray_dicom(signed, PhotometricInterpretation="MONOCHROME1"))
    np.testing.assert_array_equal(read_xray(path, camera()), -1 - signed.astype(np.float32))


def test_bad_dicom_images_are_refused(tmp_path, refused):
    path = save(tmp_path / "run.dcm", xray_dicom(COUNTS, NumberOfFrames=8))
    with refused(path, "8 frames", "one file per image"):
        read_xray(path, camera())
    path = save(tmp_path / "size.dcm", xray_dicom(COUNTS[:, :50]))
    with refused(path, "50 x 40"):
        read_xray(path, camera())
    path = save(tmp_path / "colour.dcm", xray_dicom(COUNTS, SamplesPerPixel=3, PhotometricInterpretation="RGB"))
    with refused(path, "colour"):
        read_xray(path, camera())
    empty = xray_dicom(COUNTS)
    del empty.PixelData
    path = save(tmp_path / "report.dcm", empty)
    with refused(path, "holds no image"):
        read_xray(path, camera())
    path = save(tmp_path / "cut.dcm", xray_dicom(COUNTS))
    path.write_bytes(path.read_bytes()[:-100])
    with refused(path, "truncated"):
        read_xray(path, camera())
