"""A case: everything that is prepared before surgery, one folder on disk."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from radgs_core.radgs.gaussians import RadiativeGaussians
from radgs_core.volume import Volume

if TYPE_CHECKING:
    from radgs_core.networks import Networks


@dataclass(frozen=True)
class Vertebra:
    """One prepared level. All coordinates: CT, LPS, mm.

    Attributes:
        label: C1..C7, T1..T13, L1..L6, S1.
        T_ct_vertebra: (4, 4) rigid: origin at the mask's centroid, axes of REP-103 on the patient (x anterior, y left,
            z superior), so its rotation is the same for every level.
        gaussians: the bone's attenuation in excess of the soft tissue that fills its place in the body.
        surface_points_mm: (P, 3) float32, P >= 500, spread evenly over the mask's surface; TRE is measured on them.
        mesh_vertices_mm, mesh_faces: (V, 3) float32 and (F, 3) int32, a closed surface of at most a few thousand faces.
        bone_hu: crop of the CT around the vertebra: CT inside the mask, ``fill_hu`` outside, Hounsfield units.
        fill_hu: the same crop with the vertebra replaced by surrounding soft tissue.
    """

    label: str
    T_ct_vertebra: NDArray[np.float64]
    gaussians: RadiativeGaussians
    surface_points_mm: NDArray[np.float32]
    mesh_vertices_mm: NDArray[np.float32]
    mesh_faces: NDArray[np.int32]
    bone_hu: Volume
    fill_hu: Volume


@dataclass(frozen=True)
class Case:
    """What registration and simulation need to know of one patient.

    Attributes:
        levels: the prepared vertebrae by label, from head to foot.
        body_hu: the CT with every prepared vertebra cut out and filled with surrounding soft tissue, int16 Hounsfield
            units.
        provenance: hashes of the inputs, versions and parameters this case was prepared with.
        networks: trained for this patient; None where no time was given for it, and then every registration needs a
            start.
    """

    levels: Mapping[str, Vertebra]
    body_hu: Volume
    provenance: Mapping[str, Any]
    networks: "Networks | None" = None

    def save(self, path: Path) -> None:
        """Write the case folder, all of it or nothing; an existing case there is replaced.

        Raises:
            InputError: something else than a case is at ``path``.
        """
        from radgs_core.case_folder import save_case  # the format knows the case, not the other way round

        save_case(self, path)

    @classmethod
    def load(cls, path: Path) -> "Case":
        """Read a case folder and check its schema version, hashes, shapes and types.

        Raises:
            InputError: not a case, of another schema version, incomplete or changed since it was written.
        """
        from radgs_core.case_folder import load_case

        return load_case(path)
