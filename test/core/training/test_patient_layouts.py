from pathlib import Path

import numpy as np
import pytest

from radgs_core.errors import InputError
from radgs_core.training.patients import find_patients

RAS_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def touched(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def listed(root: Path) -> list[tuple[str, str, str, str]]:
    return [
        (scan.patient, str(scan.ct.relative_to(root)), str(scan.labels.relative_to(root)), scan.scheme)
        for scan in find_patients(root)
    ]


def test_verse_by_subjects(tmp_path: Path) -> None:
    touched(
        tmp_path,
        "dataset-01training/rawdata/sub-verse004/sub-verse004_ct.nii.gz",
        "dataset-01training/derivatives/sub-verse004/sub-verse004_seg-vert_msk.nii.gz",
        "dataset-01training/derivatives/sub-verse004/sub-verse004_seg-subreg_ctd.json",
        "dataset-02validation/rawdata/sub-verse401/sub-verse401_split-verse253_ct.nii.gz",
        "dataset-02validation/rawdata/sub-verse401/sub-verse401_split-verse254_ct.nii.gz",
        "dataset-02validation/derivatives/sub-verse401/sub-verse401_split-verse253_seg-vert_msk.nii.gz",
        "dataset-02validation/derivatives/sub-verse401/sub-verse401_split-verse254_seg-vert_msk.nii.gz",
        "dataset-02validation/rawdata/sub-gl003/sub-gl003_dir-ax_ct.nii.gz",  # not labelled
    )
    t, v = "dataset-01training", "dataset-02validation"
    assert listed(tmp_path) == [
        (
            "sub-verse004",
            f"{t}/rawdata/sub-verse004/sub-verse004_ct.nii.gz",
            f"{t}/derivatives/sub-verse004/sub-verse004_seg-vert_msk.nii.gz",
            "verse",
        ),
        *(
            (
                "sub-verse401",
                f"{v}/rawdata/sub-verse401/sub-verse401_split-verse{n}_ct.nii.gz",
                f"{v}/derivatives/sub-verse401/sub-verse401_split-verse{n}_seg-vert_msk.nii.gz",
                "verse",
            )
            for n in (253, 254)
        ),
    ]


def test_verse_of_the_challenges(tmp_path: Path) -> None:
    touched(tmp_path, "verse004.nii.gz", "verse004_seg.nii.gz", "verse004_ctd.json", "verse005.nii.gz")
    touched(tmp_path, "GL003/GL003_CT_ax.nii.gz", "GL003/GL003_CT_ax_seg.nii.gz")
    touched(tmp_path, "verse506_CT-sag.nii.gz", "verse506_CT-sag_seg.nii.gz")
    assert listed(tmp_path) == [
        ("GL003", "GL003/GL003_CT_ax.nii.gz", "GL003/GL003_CT_ax_seg.nii.gz", "verse"),
        ("verse004", "verse004.nii.gz", "verse004_seg.nii.gz", "verse"),
        ("verse506", "verse506_CT-sag.nii.gz", "verse506_CT-sag_seg.nii.gz", "verse"),
    ]


def test_ctspine1k(tmp_path: Path) -> None:
    colon, liver = "1.3.6.1.4.1.9328.50.4.0001", "liver_12"
    touched(tmp_path, f"data/colon/{colon}.nii.gz", f"label/conlon/{colon}_seg.nii.gz")
    touched(tmp_path, f"data/liver/{liver}.nii.gz", f"label/liver/{liver}_seg.nii.gz")
    touched(tmp_path, "data/metadata_neck.xlsx", "label/Verse/verse004_seg.nii.gz")
    # the same name in another sub-collection
    touched(tmp_path, f"data/other/{liver}.nii.gz", f"label/other/{liver}_seg.nii.gz")
    assert listed(tmp_path) == [
        (colon, f"data/colon/{colon}.nii.gz", f"label/conlon/{colon}_seg.nii.gz", "verse"),
        (liver, f"data/liver/{liver}.nii.gz", f"label/liver/{liver}_seg.nii.gz", "verse"),
        (liver, f"data/other/{liver}.nii.gz", f"label/other/{liver}_seg.nii.gz", "verse"),
    ]


def test_trees_without_sub_collections(tmp_path: Path) -> None:
    touched(tmp_path, "images/a.nii.gz", "annotation/a_seg.nii.gz")
    assert [scan[1:3] for scan in listed(tmp_path)] == [("images/a.nii.gz", "annotation/a_seg.nii.gz")]


def test_labels_that_may_belong_to_two_cts_are_refused(tmp_path: Path) -> None:
    touched(tmp_path, "one/a.nii.gz", "two/a.nii.gz", "labels/a_seg.nii.gz")
    with pytest.raises(InputError, match=r"labels/a_seg.nii.gz may belong to .*one/a.nii.gz or to .*two/a.nii.gz"):
        find_patients(tmp_path)


def test_two_label_maps_of_one_ct_are_refused(tmp_path: Path) -> None:
    touched(tmp_path, "data/verse/a.nii.gz", "label/verse/a_seg.nii.gz", "label/completed/a_seg.nii.gz")
    with pytest.raises(
        InputError, match=r"completed/a_seg.nii.gz and .*label/verse/a_seg.nii.gz both label .*a.nii.gz"
    ):
        find_patients(tmp_path)


def test_totalsegmentator_and_plain(tmp_path: Path) -> None:
    touched(tmp_path, "s0000/ct.nii.gz", "s0000/segmentations/vertebrae_L1.nii.gz", "s0000/segmentations/liver.nii.gz")
    touched(tmp_path, "s0001/ct.nii.gz", "s0001/segmentations/liver.nii.gz")
    touched(tmp_path, "mine/ct.nii.gz", "mine/labels.nii.gz")
    assert listed(tmp_path) == [
        ("mine", "mine/ct.nii.gz", "mine/labels.nii.gz", "auto"),
        ("s0000", "s0000/ct.nii.gz", "s0000/segmentations", "totalsegmentator"),
    ]


def test_nothing_found_says_what_was_looked_for(tmp_path: Path) -> None:
    touched(tmp_path, "ct.nii.gz", "a_ct.nii.gz")
    with pytest.raises(InputError, match=r"no labelled CT .*VerSe .*CTSpine1K .*TotalSegmentator .*labels.nii.gz"):
        find_patients(tmp_path)
    with pytest.raises(InputError, match="does not exist"):
        find_patients(tmp_path / "none")
