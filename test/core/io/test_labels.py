import itertools

import nibabel
import numpy as np
import pytest

from radgs_core.errors import InputError
from radgs_core.io.ct import read_ct
from radgs_core.io.example import example_ct
from radgs_core.io.label_schemes import LEVELS, TOTALSEGMENTATOR, VERSE, read_label_scheme
from radgs_core.io.labels import read_labels
from radgs_core.volume import Volume

SPINE = ("T10", "T11", "T12", "L1", "L2", "L3", "L4", "L5", "S1")
BONE, SOFT = 300, 40


def ras_affine(spacing=4.0):
    return np.diag([-spacing, spacing, spacing, 1.0])


def phantom(values, centres_mm, hounsfield, shape=(40, 40, 100), radius_mm=12.0):
    """CT and labels of balls; their centres (x, y, z) are in mm from the middle of the volume, RAS."""
    labels = np.zeros(shape, np.uint8)
    ct = np.full(shape, 0, np.int16)
    grid = np.stack(np.meshgrid(*(np.arange(n) - n / 2 for n in shape), indexing="ij"), -1) * [-4.0, 4.0, 4.0]
    shell = np.random.default_rng(0).integers(-250, 250, shape)
    for value, centre, hu in zip(values, centres_mm, hounsfield, strict=True):
        ball = np.linalg.norm(grid - centre, axis=-1) < radius_mm
        labels[ball] = value
        ct[ball] = hu + (shell[ball] if hu == BONE else 0)
    return ct, labels


def spine(value_of_level, levels=SPINE):
    """Values, centres and Hounsfield units of a curved spine."""
    heights = [150 - 32 * SPINE.index(level) for level in levels]
    centres = [(8 * np.sin(z / 60), -30 + 20 * np.cos(z / 80), z) for z in heights]
    return [value_of_level[level] for level in levels], centres, [BONE] * len(levels)


ORGANS = (
    [1, 2, 5, 6, 20, 51],
    [(-50, 0, 60), (50, -40, 20), (50, 20, 70), (-40, 30, 50), (0, 50, -40), (-20, 40, 180)],
)


def stored(tmp_path, ct, labels, affine=None):
    affine = ras_affine() if affine is None else affine
    nibabel.save(nibabel.Nifti1Image(ct, affine), tmp_path / "ct.nii.gz")
    nibabel.save(nibabel.Nifti1Image(labels, affine), tmp_path / "labels.nii.gz")
    return read_ct(tmp_path / "ct.nii.gz"), tmp_path / "labels.nii.gz"


@pytest.mark.parametrize("levels", [SPINE, SPINE[:3], SPINE[3:6], SPINE[-3:], ("T11", "L2", "L4"), ("L1",), ("L5",)])
def test_verse_is_told(tmp_path, levels):
    ct, path = stored(tmp_path, *phantom(*spine(VERSE.value_of_level, levels)))
    labels = read_labels(path, ct)
    assert labels.scheme == "verse"
    assert dict(labels.value_of_level) == {level: VERSE.value_of_level[level] for level in levels}
    assert list(labels.value_of_level) == list(levels)


@pytest.mark.parametrize("levels", [SPINE, SPINE[:3], SPINE[-3:], ("L4", "L5"), ("L5",), ("L4",), ("T10",)])
@pytest.mark.parametrize("with_organs", [False, True])
def test_totalsegmentator_is_told(tmp_path, levels, with_organs):
    values, centres, hounsfield = spine(TOTALSEGMENTATOR.value_of_level, levels)
    if with_organs:
        values, centres, hounsfield = values + ORGANS[0], centres + ORGANS[1], hounsfield + [SOFT] * len(ORGANS[0])
    ct, path = stored(tmp_path, *phantom(values, centres, hounsfield))
    labels = read_labels(path, ct)
    assert labels.scheme == "totalsegmentator"
    assert dict(labels.value_of_level) == {level: TOTALSEGMENTATOR.value_of_level[level] for level in levels}


def test_transitional_vertebrae_of_verse_are_told(tmp_path):
    levels = ("T11", "T12", "T13", "L1", "L2", "L3", "L4", "L5", "L6")
    _, centres, hounsfield = spine(VERSE.value_of_level)
    ct, path = stored(tmp_path, *phantom([VERSE.value_of_level[level] for level in levels], centres, hounsfield))
    assert tuple(read_labels(path, ct).value_of_level) == levels


def test_s1_alone_is_the_same_in_both(tmp_path):
    ct, path = stored(tmp_path, *phantom(*spine(VERSE.value_of_level, ("S1",))))
    assert dict(read_labels(path, ct).value_of_level) == {"S1": 26}


@pytest.mark.parametrize("offset", [-9, 100])  # -9: TotalSegmentator 1
def test_other_numberings_are_refused(tmp_path, refused, offset):
    values, centres, hounsfield = spine(TOTALSEGMENTATOR.value_of_level, SPINE[:-1])
    ct, path = stored(tmp_path, *phantom([value + offset for value in values], centres, hounsfield))
    with refused(path, "neither", "--label-scheme"):
        read_labels(path, ct)


def test_a_spine_numbered_upside_down_is_refused(tmp_path, refused):
    values, centres, hounsfield = spine(TOTALSEGMENTATOR.value_of_level, SPINE[:6])
    ct, path = stored(tmp_path, *phantom(values[::-1], centres, hounsfield))
    with refused(path, "--label-scheme"):
        read_labels(path, ct)


def test_soft_organs_are_no_vertebrae(tmp_path, refused):
    ct, path = stored(tmp_path, *phantom([20], [(0, 0, 0)], [SOFT]))
    with refused(path, "--label-scheme"):
        read_labels(path, ct)


def test_what_fits_both_numberings_is_refused(tmp_path, refused):
    values, centres, _ = spine(VERSE.value_of_level, ("L3", "L4", "L5", "S1"))
    ct, path = stored(tmp_path, *phantom(values, centres, [SOFT, SOFT, SOFT, BONE]))
    with refused(path, "both", "--label-scheme verse"):
        read_labels(path, ct)


def test_specks_do_not_disturb(tmp_path):
    ct, labels = phantom(*spine(VERSE.value_of_level))
    labels[2, 2, 2], labels[3, 30, 95] = VERSE.value_of_level["C3"], VERSE.value_of_level["S1"]
    ct, path = stored(tmp_path, ct, labels)
    assert read_labels(path, ct).scheme == "verse"


def example_labels(tmp_path, translation, crop=(slice(None),) * 3):
    """The example with its labels renumbered, every second voxel across, so that it is small."""
    ct_path, labels_path = example_ct()
    image = nibabel.load(labels_path)
    labels = np.asarray(image.dataobj)[::2, ::2][crop]
    table = np.zeros(256, np.uint8)
    for old, new in translation.items():
        table[old] = new
    affine = image.affine @ np.diag([2.0, 2.0, 1.0, 1.0])
    affine[:3, 3] = (affine @ [*(side.start or 0 for side in crop), 1])[:3]
    nibabel.save(nibabel.Nifti1Image(table[labels], affine), tmp_path / "labels.nii.gz")
    ct = read_ct(ct_path)
    return Volume(ct.data[::2, ::2][crop], np.diag([-1, -1, 1, 1]) @ affine), tmp_path / "labels.nii.gz"


TO_VERSE = {value: VERSE.value_of_level[level] for level, value in TOTALSEGMENTATOR.value_of_level.items()}


@pytest.mark.parametrize("k", [slice(None), slice(0, 60), slice(18, 30), slice(100, 133)])
@pytest.mark.parametrize("scheme", ["totalsegmentator", "verse"])
def test_numbering_of_the_example_is_told_also_from_parts(tmp_path, scheme, k):
    same = {value: value for value in range(1, 118)}
    crop = (slice(None), slice(None), k)
    ct, path = example_labels(tmp_path, same if scheme == "totalsegmentator" else TO_VERSE, crop)
    labels = read_labels(path, ct)
    assert labels.scheme == scheme
    assert len(labels.value_of_level) >= 2


def test_totalsegmentator_1_is_not_taken_for_another_numbering(tmp_path, refused):
    ct, path = example_labels(tmp_path, {value: value - 9 for value in range(27, 51)})
    with refused(path, "--label-scheme"):
        read_labels(path, ct)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("flips", [(), (0,), (1, 2), (0, 1, 2)])
def test_labels_in_another_axis_order_come_to_the_ct(tmp_path, order, flips):
    ct_data, label_data = phantom(*spine(VERSE.value_of_level), shape=(30, 34, 100))
    ct, path = stored(tmp_path, ct_data, label_data)
    expected = read_labels(path, ct).volume.data
    orientation = np.array([[new, -1 if axis in flips else 1] for axis, new in enumerate(order)])
    nibabel.save(nibabel.load(path).as_reoriented(orientation), tmp_path / "turned.nii.gz")
    turned = read_labels(tmp_path / "turned.nii.gz", ct).volume
    np.testing.assert_array_equal(turned.data, expected)
    assert turned.T_ct_voxel is ct.T_ct_voxel


def test_labels_of_another_grid_are_refused(tmp_path, refused):
    ct_data, label_data = phantom(*spine(VERSE.value_of_level))
    ct, path = stored(tmp_path, ct_data, label_data)
    shifted = ras_affine()
    shifted[2, 3] += 2
    for affine, data, words in (
        (shifted, label_data, ["2.00 mm from the CT's"]),
        (ras_affine(4.1), label_data, ["from the CT's"]),
        (ras_affine(), label_data[:, :, :-1], ["40 x 40 x 99 voxels", "40 x 40 x 100"]),
        (ras_affine() @ np.array([[1, -1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]), label_data, ["CT's"]),
    ):
        nibabel.save(nibabel.Nifti1Image(data, affine), path)
        with refused(path, "not on the CT's grid", *words, "resample"):
            read_labels(path, ct)


def test_rounding_of_affines_is_tolerated(tmp_path):
    ct, path = stored(tmp_path, *phantom(*spine(VERSE.value_of_level)))
    rounded = Volume(ct.data, ct.T_ct_voxel + 1e-4)
    assert read_labels(path, rounded).scheme == "verse"


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, np.int32, ">u2"])
def test_any_type_that_holds_whole_numbers_will_do(tmp_path, dtype):
    ct_data, label_data = phantom(*spine(VERSE.value_of_level))
    ct, path = stored(tmp_path, ct_data, label_data)
    nibabel.save(nibabel.Nifti1Image(label_data.astype(dtype), ras_affine()), path)
    volume = read_labels(path, ct).volume
    assert volume.data.dtype == np.uint8
    np.testing.assert_array_equal(volume.data, label_data)


@pytest.mark.parametrize(("value", "word"), [(0.5, "fractions"), (-1.0, "between 0"), (70000.0, "between 0")])
def test_values_that_are_no_labels_are_refused(tmp_path, refused, value, word):
    ct_data, label_data = phantom(*spine(VERSE.value_of_level))
    ct, path = stored(tmp_path, ct_data, label_data)
    data = label_data.astype(np.float32)
    data[0, 0, 0] = value
    nibabel.save(nibabel.Nifti1Image(data, ras_affine()), path)
    with refused(path, word):
        read_labels(path, ct)


def test_missing_and_other_files_are_refused(tmp_path, refused):
    ct = Volume(np.zeros((4, 4, 4), np.int16), np.eye(4))
    with refused("none.nii.gz", "does not exist"):
        read_labels(tmp_path / "none.nii.gz", ct)
    with refused(tmp_path, "convert it to NIfTI"):
        read_labels(tmp_path, ct)


def test_a_scheme_can_be_imposed_by_name_or_file(tmp_path, refused):
    ct, path = stored(tmp_path, *phantom(*spine(VERSE.value_of_level)))
    assert read_labels(path, ct, "totalsegmentator").value_of_level == {"S1": 26}
    (tmp_path / "mine.yaml").write_text("L1: 20\nT13: 19\nC1: 99\n")
    labels = read_labels(path, ct, tmp_path / "mine.yaml")
    assert labels.value_of_level == {"T13": 19, "L1": 20}
    assert read_labels(path, ct, str(tmp_path / "mine.yaml")).value_of_level == labels.value_of_level
    with refused("versee", "totalsegmentator, verse", "--label-scheme"):
        read_labels(path, ct, "versee")
    (tmp_path / "none.yaml").write_text("C1: 99\n")
    with refused(path, "none.yaml", "values found: 17, 18"):
        read_labels(path, ct, tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("Th1: 3\n", ["unknown key 'Th1'", "T1..T13"]),
        ("L1: twenty\n", ["L1", "'twenty'", "whole number"]),
        ("L1: 0\n", ["L1", "whole number"]),
        ("L1: 2.0\n", ["L1", "whole number"]),
        ("L1: true\n", ["L1", "whole number"]),
        ("L1: 3\nL2: 3\n", ["L1 and L2", "same value 3"]),
        ("L1: 3\nL1: 4\n", ["given twice"]),
        ("{}\n", ["names no vertebra"]),
        ("- L1\n", ["key: value"]),
    ],
)
def test_bad_scheme_files_are_refused(tmp_path, refused, content, words):
    (tmp_path / "scheme.yaml").write_text(content)
    with refused(tmp_path / "scheme.yaml", *words):
        read_label_scheme(tmp_path / "scheme.yaml")


def test_the_numberings_are_as_published():
    ours, verse = TOTALSEGMENTATOR.value_of_level, VERSE.value_of_level
    assert [ours[level] for level in ("S1", "L5", "L1", "T12", "T1", "C7", "C1")] == [26, 27, 31, 32, 43, 44, 50]
    assert [verse[level] for level in ("C1", "C7", "T1", "T12", "L1", "L6", "S1", "T13")] == [
        1,
        7,
        8,
        19,
        20,
        25,
        26,
        28,
    ]
    assert set(ours) | set(verse) == set(LEVELS)


def test_input_errors_are_value_errors():
    assert issubclass(InputError, ValueError)
