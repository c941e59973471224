"""Labelled CTs of many patients: found, read, and divided for training and validation."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from radgs_core.errors import InputError
from radgs_core.io.ct import read_ct
from radgs_core.io.labels import LabelMap, read_labels
from radgs_core.io.mask_folder import read_mask_folder
from radgs_core.training.patient_layouts import LAYOUTS, NIFTI, PatientFiles
from radgs_core.volume import Volume


def find_patients(folder: Path) -> list[PatientFiles]:
    """All labelled CTs below a folder, in the order of their paths; nothing is read yet.

    Args:
        folder: VerSe, CTSpine1K, TotalSegmentator or any other of ``LAYOUTS``, or several of them.

    Raises:
        InputError: none is there, one label map may belong to several CTs, or several belong to one.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} does not exist or is not a folder; give a folder of CTs and their label maps.")
    files = frozenset(folder.rglob(f"*{NIFTI}"))
    found: dict[Path, PatientFiles] = {}
    for layout in LAYOUTS.values():
        for scan in layout(files):
            other = found.setdefault(scan.ct, scan)
            if other != scan:
                one, two = sorted((other.labels, scan.labels))
                raise InputError(f"{one} and {two} both label {scan.ct}; leave only one of them below {folder}.")
    if not found:
        raise InputError(
            f"{folder} holds no labelled CT in a layout this program knows: {', '.join(LAYOUTS)}; lay the files out so."
        )
    return [found[ct] for ct in sorted(found)]


def read_patient(files: PatientFiles) -> tuple[Volume, LabelMap]:
    """CT in Hounsfield units and label map on its grid.

    Raises:
        InputError: what ``read_ct``, ``read_labels`` or ``read_mask_folder`` refuse; a CT that shows no vertebra, as
            some of TotalSegmentator do, is among it.
    """
    ct = read_ct(files.ct)
    if files.labels.is_dir():
        return ct, read_mask_folder(files.labels, ct)
    return ct, read_labels(files.labels, ct, files.scheme)


@dataclass(frozen=True)
class Split:
    """Scans for training and scans for validation; no patient is in both."""

    training: tuple[PatientFiles, ...]
    validation: tuple[PatientFiles, ...]


def split(scans: Sequence[PatientFiles], validation_share: float, seed: int) -> Split:
    """Divide by patient; the order of ``scans`` does not matter.

    Args:
        scans: at least two patients.
        validation_share: of the patients, between 0 and 1; at least one patient comes to each side.
        seed: draws who is who.

    Raises:
        InputError: fewer than two patients, or another share.
    """
    patients = sorted({scan.patient for scan in scans})
    if len(patients) < 2:
        raise InputError("fewer than two patients cannot be divided into training and validation; give more.")
    if not 0 < validation_share < 1:
        raise InputError(f"the share for validation is {validation_share}; give a number between 0 and 1.")
    count = int(np.clip(round(validation_share * len(patients)), 1, len(patients) - 1))
    chosen = set(np.random.default_rng(seed).permutation(patients)[:count].tolist())
    ordered = sorted(scans, key=lambda scan: scan.ct)
    return Split(
        tuple(scan for scan in ordered if scan.patient not in chosen),
        tuple(scan for scan in ordered if scan.patient in chosen),
    )
