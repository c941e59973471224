"""Which vertebrae of a labelled CT make up the cases that a prior is trained on."""

from collections.abc import Sequence
from itertools import pairwise

from scipy import ndimage

from radgs_core.io.label_schemes import LEVELS
from radgs_core.io.labels import LabelMap

LONGEST = 5
"""Levels of a case: as many as an X-ray shows, and all of an exposure are in memory together."""
LEFT_OUT = ("C1", "C2", "S1")
"""Unlike all other vertebrae, and not what the prior is for."""
LEAST_VOXELS = 200
"""A mask with fewer voxels is a remnant, not a vertebra."""


def level_runs(labels: LabelMap) -> list[tuple[str, ...]]:
    """Runs of up to ``LONGEST`` adjacent levels, from head to foot, that lie wholly in the CT.

    A longer row is divided into runs of nearly equal length. A level that touches the border of the CT is cut off.
    """
    data = labels.volume.data
    boxes = ndimage.find_objects(data)
    whole = []
    for level, value in labels.value_of_level.items():
        box = boxes[value - 1]
        inside = all(side.start > 0 and side.stop < size for side, size in zip(box, data.shape, strict=True))
        if inside and level not in LEFT_OUT and (data[box] == value).sum() >= LEAST_VOXELS:
            whole.append(level)
    runs = []
    for row in _adjacent(whole, list(labels.value_of_level)):
        count = -(-len(row) // LONGEST)
        borders = [round(number * len(row) / count) for number in range(count + 1)]
        runs += [tuple(row[a:b]) for a, b in pairwise(borders)]
    return runs


def _adjacent(levels: Sequence[str], present: Sequence[str]) -> list[list[str]]:
    """Rows of levels between which none is missing; a patient's variants (T13, L6) need not be there."""
    order = [level for level in LEVELS if level in present or level not in ("T13", "L6")]
    rows: list[list[str]] = []
    for level in sorted(levels, key=order.index):
        if rows and order.index(level) == order.index(rows[-1][-1]) + 1:
            rows[-1].append(level)
        else:
            rows.append([level])
    return rows
