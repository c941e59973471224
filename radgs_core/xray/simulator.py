"""X-rays of a bent spine: the body at its pose, and every vertebra at its own.

Line integrals add, so an exposure is the body with its vertebrae replaced by soft tissue, plus per level what its bone
adds to that soft tissue, each ray cast where it is.
"""

import copy
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from radgs_core.case import Case
from radgs_core.errors import InputError
from radgs_core.geometry.camera import BiplanarGeometry, XrayCamera
from radgs_core.volume import Volume
from radgs_core.xray.material_volumes import MaterialVolumes
from radgs_core.xray.materials import Densities
from radgs_core.xray.physics import Physics

CONTINUATION_MM = 80.0
"""How far the body is continued beyond the first and the last slice of the CT, so that no X-ray shows it cut off."""


class Simulator:
    """An operating room in which the body lies still, the C-arm stays, and the vertebrae move.

    The body is ray cast once, when the simulator is made; an exposure casts the vertebrae only.

    Args:
        case: the patient.
        geometry: both views.
        T_reference_ct: (4, 4) pose of the body, mm.

    Raises:
        InputError: the rays of a view spread too far (see `radgs_core.xray.ray_march`).
    """

    def __init__(self, case: Case, geometry: BiplanarGeometry, T_reference_ct: NDArray[np.float64]) -> None:
        self._excess = {label: MaterialVolumes.of_excess(vertebra) for label, vertebra in case.levels.items()}
        self._body = MaterialVolumes.of_body(continued(case.body_hu))
        self._move(geometry, T_reference_ct)

    def moved_to(self, geometry: BiplanarGeometry, T_reference_ct: NDArray[np.float64]) -> "Simulator":
        """The same patient with C-arm and body somewhere else; what the patient consists of is not prepared anew.

        Arguments and errors as of the class.
        """
        moved = copy.copy(self)
        moved._move(geometry, T_reference_ct)
        return moved

    def _move(self, geometry: BiplanarGeometry, T_reference_ct: NDArray[np.float64]) -> None:
        self.geometry = geometry
        self.T_reference_ct = T_reference_ct
        self._still = {name: self._body.along_rays(camera, T_reference_ct) for name, camera in geometry.views.items()}

    def densities(self, T_reference_level: Mapping[str, NDArray[np.float64]]) -> Mapping[str, Densities]:
        """Water and bone along every ray, g/cm^2, (height, width) per view. Arguments as for ``expose``."""
        self._check(T_reference_level)
        return {
            name: self._with_levels(self._still[name], camera, self.T_reference_ct, T_reference_level)
            for name, camera in self.geometry.views.items()
        }

    def expose(
        self, T_reference_level: Mapping[str, NDArray[np.float64]], physics: Physics, rng: np.random.Generator
    ) -> dict[str, NDArray[np.float32]]:
        """Take both X-rays.

        Args:
            T_reference_level: (4, 4) per level, mm: where it carries the CT's coordinates; others stay with the body.
            physics: of tube and detector.
            rng: draws the noise.

        Returns:
            Counts of an arbitrary gain per view, (height, width) float32, air bright.

        Raises:
            InputError: a level is not in the case.
        """
        return {name: physics.detect(densities, rng) for name, densities in self.densities(T_reference_level).items()}

    def shoot(
        self,
        camera: XrayCamera,
        T_reference_ct: NDArray[np.float64],
        T_reference_level: Mapping[str, NDArray[np.float64]],
        physics: Physics,
        rng: np.random.Generator,
    ) -> NDArray[np.float32]:
        """Take one X-ray of the same patient from anywhere; the body is ray cast for it.

        Args:
            camera: the view.
            T_reference_ct: (4, 4) pose of the body, mm.
            T_reference_level, physics, rng: as for ``expose``.

        Returns:
            As ``expose``, of one view.

        Raises:
            InputError: a level is not in the case, or the rays spread too far.
        """
        self._check(T_reference_level)
        still = self._body.along_rays(camera, T_reference_ct)
        return physics.detect(self._with_levels(still, camera, T_reference_ct, T_reference_level), rng)

    def _check(self, T_reference_level: Mapping[str, NDArray[np.float64]]) -> None:
        unknown = [level for level in T_reference_level if level not in self._excess]
        if unknown:
            raise InputError(f"{unknown[0]} is not in the case; it holds {', '.join(self._excess)}.")

    def _with_levels(
        self,
        still: Densities,
        camera: XrayCamera,
        T_reference_ct: NDArray[np.float64],
        T_reference_level: Mapping[str, NDArray[np.float64]],
    ) -> Densities:
        water, bone = still.water.copy(), still.bone.copy()
        for level, excess in self._excess.items():
            moved = excess.along_rays(camera, T_reference_level.get(level, T_reference_ct))
            water += moved.water
            bone += moved.bone
        return Densities(water, bone)


def simulate(
    case: Case,
    geometry: BiplanarGeometry,
    T_reference_ct: NDArray[np.float64],
    T_reference_level: Mapping[str, NDArray[np.float64]],
    physics: Physics,
    seed: int,
) -> dict[str, NDArray[np.float32]]:
    """One exposure, with the arguments of ``Simulator`` and ``Simulator.expose``; one seed gives one noise."""
    return Simulator(case, geometry, T_reference_ct).expose(T_reference_level, physics, np.random.default_rng(seed))


def continued(body: Volume, length_mm: float = CONTINUATION_MM) -> Volume:
    """The volume, its end slices repeated ``length_mm`` towards head and foot: a body goes on where its CT stops."""
    axis = int(np.argmax(np.abs(body.T_ct_voxel[2, :3]) / body.spacing_mm))
    count = int(np.ceil(length_mm / body.spacing_mm[axis]))
    widths = [(count, count) if a == axis else (0, 0) for a in range(3)]
    T_ct_voxel = body.T_ct_voxel.copy()
    T_ct_voxel[:3, 3] -= count * T_ct_voxel[:3, axis]
    return Volume(np.pad(body.data, widths, mode="edge"), T_ct_voxel)
