"""From a labelled CT to a case."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from radgs_core.case import Case, Vertebra
from radgs_core.errors import InputError
from radgs_core.preparation.separation import LevelCrop, separate
from radgs_core.preparation.surface import mesh_of, surface_points
from radgs_core.progress import Progress
from radgs_core.radgs.fitting import fit_gaussians
from radgs_core.volume import Volume

if TYPE_CHECKING:
    from radgs_core.io.labels import LabelMap


R_CT_PATIENT = np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
"""Columns: the axes of REP-103 on the patient (x anterior, y left, z superior) in CT coordinates LPS."""


def prepare_case(
    ct: Volume,
    labels: "LabelMap",
    levels: Sequence[str],
    progress: Progress,
    provenance: Mapping[str, Any],
) -> Case:
    """Cut the chosen vertebrae out of a CT and model each one.

    Args:
        ct: Hounsfield units, any spacing and axis order.
        labels: label map on the CT's grid.
        levels: which vertebrae; their order does not matter.
        progress: told the fraction done and what is being worked on.
        provenance: where the data come from; kept in the case as it is.

    Returns:
        The case, its levels sorted from head to foot.

    Raises:
        InputError: a level is named twice, is not in the label map, or is cut off at the border of the CT.
    """
    _check_levels(levels, labels)
    separated = separate(ct, labels, levels)
    vertebrae = {}
    for number, level in enumerate(levels):

        def part(fraction: float, message: str, number: int = number, level: str = level) -> None:
            progress((number + fraction) / len(levels), f"{level}: {message}")

        vertebrae[level] = _vertebra(level, separated.crops[level], part)
    order = sorted(vertebrae, key=lambda level: -vertebrae[level].T_ct_vertebra[2, 3])
    progress(1.0, "done")
    return Case({level: vertebrae[level] for level in order}, separated.body_hu, provenance)


def _vertebra(level: str, crop: LevelCrop, progress: Progress) -> Vertebra:
    mask, T_ct_voxel = crop.mask, crop.bone_hu.T_ct_voxel
    progress(0.0, "surface")
    mesh = mesh_of(mask, T_ct_voxel)
    progress(0.05, "Gaussians")
    gaussians = fit_gaussians(crop.excess, lambda f, message: progress(0.05 + 0.95 * f, message))
    T_ct_vertebra = np.eye(4)
    T_ct_vertebra[:3, :3] = R_CT_PATIENT
    T_ct_vertebra[:3, 3] = Volume(mask, T_ct_voxel).points_mm(np.argwhere(mask)).mean(0)
    return Vertebra(
        label=level,
        T_ct_vertebra=T_ct_vertebra,
        gaussians=gaussians,
        surface_points_mm=surface_points(mask, T_ct_voxel),
        mesh_vertices_mm=mesh.vertices_mm,
        mesh_faces=mesh.faces,
        bone_hu=crop.bone_hu,
        fill_hu=crop.fill_hu,
    )


def _check_levels(levels: Sequence[str], labels: "LabelMap") -> None:
    if not levels:
        raise InputError("no levels were given; name at least one, for example T12,L1.")
    for level in levels:
        if level not in labels.value_of_level:
            raise InputError(
                f"{level} is not in the label map; it holds {', '.join(labels.value_of_level) or 'no vertebra'}."
            )
        if levels.count(level) > 1:
            raise InputError(f"{level} is named twice; name each level once.")
