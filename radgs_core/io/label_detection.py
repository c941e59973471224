"""Which numbering a label map follows, told from anatomy.

TotalSegmentator and VerSe use the same integers for different things: 20 is the colon in one and L1 in the other. What
cannot be confused is how vertebrae lie: one above the other in the order of their names, a few centimetres apart, and
made of bone.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from radgs_core.errors import InputError
from radgs_core.io.label_schemes import TOTALSEGMENTATOR, VERSE, LabelScheme
from radgs_core.volume import Volume

SMALLEST_STRUCTURE_MM3 = 500
"""Smaller masks are specks or slivers at the edge of the volume; their centres say nothing."""

_TOTALSEGMENTATOR_ORDER = tuple(range(50, 24, -1))  # C1 .. S1 and the sacrum
_LAST_ORGAN_BEFORE_SPINE = 24
_VERSE_ORDER = (*range(1, 20), 28, *range(20, 28))  # C1 .. T12, T13, L1 .. L6, sacrum, coccyx
_VERSE_EXTRA = {28: (19, 20), 25: (24, 26)}  # T13 and L6, which few people have: always beside one of these neighbours


@dataclass(frozen=True)
class _Structure:
    """One label value: the median of its voxels, LPS, mm; whether it has bone's Hounsfield units and is whole."""

    centre: NDArray[np.float64]
    bony: bool
    whole: bool


def detect_label_scheme(labels: Volume, ct: Volume, name: str) -> LabelScheme:
    """Tell the numbering of ``labels``.

    Args:
        labels: non-negative integers.
        ct: Hounsfield units on the same grid.
        name: what the user calls the label map; for error messages.

    Raises:
        InputError: neither numbering, or both, would place the vertebrae as a spine has them.
    """
    structures = _structures(labels, ct)
    totalsegmentator = _reads_as_totalsegmentator(structures)
    verse = _reads_as_verse(structures)
    if verse and totalsegmentator and not _same_levels(structures):
        low = [s for value, s in structures.items() if value <= _LAST_ORGAN_BEFORE_SPINE]
        # organs that are bony, and stacked as VerSe has it, are vertebrae
        if low and all(s.bony for s in low):
            return VERSE
        raise InputError(
            f"{name} fits both the TotalSegmentator and the VerSe numbering; pass --label-scheme totalsegmentator"
            " or --label-scheme verse."
        )
    if totalsegmentator:
        return TOTALSEGMENTATOR
    if verse:
        return VERSE
    values = ", ".join(str(value) for value in sorted(structures)[:30]) or "none of 0.5 cm3 or more"
    raise InputError(
        f"{name} follows neither the TotalSegmentator nor the VerSe numbering of vertebrae (values found: {values});"
        " pass --label-scheme totalsegmentator, verse or a YAML file with lines such as 'L1: 20'."
    )


def _structures(labels: Volume, ct: Volume) -> Mapping[int, _Structure]:
    smallest = SMALLEST_STRUCTURE_MM3 / abs(np.linalg.det(labels.T_ct_voxel[:3, :3]))
    found = {}
    for value, box in enumerate(ndimage.find_objects(labels.data), start=1):
        if box is None:
            continue
        mask = labels.data[box] == value
        indices = np.argwhere(mask)
        if len(indices) < smallest:
            continue
        start = np.array([side.start for side in box])
        stop = np.array([side.stop for side in box])
        # the median, as a stray fragment far away would draw the mean
        centre = labels.points_mm(np.median(indices, axis=0) + start)
        low, middle, high = np.percentile(ct.data[box][mask], [5, 50, 95])
        # marrow with a dense shell: neither gas (bowel) nor even enhancement (kidney, vessel)
        bony = low > -250 and high > 200 and (high - middle > 100 or middle > 300)
        found[value] = _Structure(centre, bool(bony), bool((start > 0).all() and (stop < labels.data.shape).all()))
    return found


def _reads_as_totalsegmentator(structures: Mapping[int, _Structure]) -> bool:
    organs = {value: s for value, s in structures.items() if value <= _LAST_ORGAN_BEFORE_SPINE and s.bony}
    # VerSe's vertebrae, or those of TotalSegmentator 1, in the place of organs
    if len(organs) > 1 and (_stacked(organs, sorted(organs)) or _stacked(organs, sorted(organs, reverse=True))):
        return False
    levels = set(TOTALSEGMENTATOR.value_of_level.values()) & set(structures)
    return bool(levels) and _is_spine(structures, _TOTALSEGMENTATOR_ORDER)


def _reads_as_verse(structures: Mapping[int, _Structure]) -> bool:
    if not set(structures) <= set(_VERSE_ORDER):
        return False
    if any(extra in structures and not structures.keys() & set(beside) for extra, beside in _VERSE_EXTRA.items()):
        return False
    levels = set(VERSE.value_of_level.values()) & set(structures)
    order = [value for value in _VERSE_ORDER if value in structures or value not in _VERSE_EXTRA]
    return bool(levels) and _is_spine(structures, order)


def _same_levels(structures: Mapping[int, _Structure]) -> bool:
    """Whether both numberings name the same vertebrae: S1 is 26 in both."""
    first, second = (
        {level for level, value in scheme.value_of_level.items() if value in structures}
        for scheme in (TOTALSEGMENTATOR, VERSE)
    )
    return first == second


def _is_spine(structures: Mapping[int, _Structure], order: Sequence[int]) -> bool:
    chain = {value: structures[value] for value in order if value in structures}
    whole = {value: s for value, s in chain.items() if s.whole}
    if len(whole) >= 3:
        chain = whole  # what the volume's edge cuts off has its centre elsewhere
    if not _stacked(chain, order):
        return False
    # three in a row are no coincidence; one or two can be
    return len(chain) >= 3 or all(s.bony for s in chain.values())


def _stacked(chain: Mapping[int, _Structure], order: Sequence[int]) -> bool:
    """Whether the structures follow each other from head to foot in the order given, as far apart as vertebrae are."""
    ranks = [rank for rank, value in enumerate(order) if value in chain]
    for upper, lower in itertools.pairwise(ranks):
        steps = lower - upper
        x, y, z = chain[order[upper]].centre - chain[order[lower]].centre
        # neighbours are 12 mm (neck) to 65 mm (L5 to sacrum) apart; slack for cut ones and for curved spines
        if not max(0, 10 * steps - 15) < z < 50 * steps + 30 or np.hypot(x, y) > 25 * steps + 25:
            return False
    return True
