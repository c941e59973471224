"""How public data sets lay out CTs and their labels.

A layout takes the files below a folder and gives the scans that it recognises, so that the folder may also hold several
data sets, or only a part of one. ``<...>`` stands for any name.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from radgs_core.errors import InputError
from radgs_core.io.label_schemes import TOTALSEGMENTATOR, VERSE
from radgs_core.io.mask_folder import PREFIX

NIFTI = ".nii.gz"


@dataclass(frozen=True)
class PatientFiles:
    """One scan with its labels.

    Attributes:
        patient: whom it shows; several scans can show the same patient.
        ct: NIfTI file.
        labels: NIfTI label map, or a folder of binary masks (``read_mask_folder``).
        scheme: numbering of the labels, as ``read_labels`` takes it.
    """

    patient: str
    ct: Path
    labels: Path
    scheme: str


def bids(files: frozenset[Path]) -> Iterator[PatientFiles]:
    """VerSe by subjects: ``rawdata/sub-<...>/<name>_ct.nii.gz`` and
    ``derivatives/sub-<...>/<name>_seg-vert_msk.nii.gz``."""
    for ct in files:
        if len(ct.parts) < 3 or ct.parts[-3] != "rawdata" or not ct.name.endswith(f"_ct{NIFTI}"):
            continue
        folder = ct.parents[2] / "derivatives" / ct.parent.name
        labels = folder / ct.name.replace(f"_ct{NIFTI}", f"_seg-vert_msk{NIFTI}")
        if labels in files:
            yield PatientFiles(ct.parent.name, ct, labels, VERSE.name)


def pairs(files: frozenset[Path]) -> Iterator[PatientFiles]:
    """``<name>.nii.gz`` and ``<name>_seg.nii.gz``: VerSe as for its challenges of 2019 and 2020, both in one folder; or
    CTSpine1K, the first in a tree of images, the second in a tree of labels with the same sub-collections below.

    VerSe 2020 appends ``_CT<...>`` to the patient in ``<name>``. CTSpine1K numbers as VerSe does; it spells its
    sub-collections differently in the two trees (colon and conlon), so they only decide between equal names.

    Raises:
        InputError: several images of that name are as near to the labels.
    """
    by_name: Mapping[str, list[Path]] = defaultdict(list)
    for file in files:
        by_name[file.name].append(file)
    for labels in files:
        if not labels.name.endswith(f"_seg{NIFTI}"):
            continue
        stem = labels.name.removesuffix(f"_seg{NIFTI}")
        found = by_name.get(stem + NIFTI)
        if found:
            yield PatientFiles(stem.split("_CT")[0], _nearest(found, labels), labels, VERSE.name)


def masks(files: frozenset[Path]) -> Iterator[PatientFiles]:
    """TotalSegmentator: ``s<...>/ct.nii.gz`` and ``s<...>/segmentations/vertebrae_<level>.nii.gz``."""
    folders = {file.parent for file in files if file.name.startswith(PREFIX) and file.parent.name == "segmentations"}
    for folder in folders:
        ct = folder.parent / f"ct{NIFTI}"
        if ct in files:
            yield PatientFiles(folder.parent.name, ct, folder, TOTALSEGMENTATOR.name)


def plain(files: frozenset[Path]) -> Iterator[PatientFiles]:
    """Your own: ``<patient>/ct.nii.gz`` and ``<patient>/labels.nii.gz``; the numbering is told from the anatomy."""
    for ct in files:
        labels = ct.parent / f"labels{NIFTI}"
        if ct.name == f"ct{NIFTI}" and labels in files:
            yield PatientFiles(ct.parent.name, ct, labels, "auto")


LAYOUTS: Mapping[str, Callable[[frozenset[Path]], Iterable[PatientFiles]]] = {
    "VerSe (rawdata/sub-*/*_ct.nii.gz, derivatives/sub-*/*_seg-vert_msk.nii.gz)": bids,
    "VerSe 2019 or CTSpine1K (*.nii.gz, *_seg.nii.gz)": pairs,
    "TotalSegmentator (*/ct.nii.gz, */segmentations/vertebrae_*.nii.gz)": masks,
    "any other (*/ct.nii.gz, */labels.nii.gz)": plain,
}
"""All layouts, by what they look for."""


def _nearest(candidates: list[Path], labels: Path) -> Path:
    """The candidate in the folder of ``labels``, else the one below the most folders of the same names, file upwards.

    Raises:
        InputError: several are as near.
    """

    def shared(ct: Path) -> tuple[bool, int, int]:
        ours, theirs = ct.parent.parts, labels.parent.parts
        same_end = next(
            (n for n, (a, b) in enumerate(zip(ours[::-1], theirs[::-1], strict=False)) if a != b), len(ours)
        )
        same_start = next((n for n, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), len(ours))
        return ct.parent == labels.parent, same_end, same_start

    best = sorted(candidates, key=shared)[-1]
    equal = [ct for ct in candidates if shared(ct) == shared(best)]
    if len(equal) > 1:
        one, other = sorted(equal)[:2]
        raise InputError(f"{labels} may belong to {one} or to {other}; give a folder that holds only one of them.")
    return best
