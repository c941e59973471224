"""An operating room in which the C-arm, the table and the patient's spine move."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from radgs_core.case import Case
from radgs_core.geometry.camera import BiplanarGeometry, XrayCamera
from radgs_core.xray.carm import CArm, biplanar_geometry, body_pose
from radgs_core.xray.carm_frames import LATERAL_DEG
from radgs_core.xray.carm_joints import JointPositions
from radgs_core.xray.motion import bend
from radgs_core.xray.physics import Physics
from radgs_core.xray.simulator import Simulator


@dataclass(frozen=True)
class Exposure:
    """X-rays that were taken, and what is true.

    Attributes:
        images: per view, (height, width) float32 counts.
        cameras: per view, in ``carm_base``.
        T_reference_level: per level, (4, 4), mm: where it carries the CT's coordinates, in ``carm_base``.
    """

    images: Mapping[str, NDArray[np.float32]]
    cameras: Mapping[str, XrayCamera]
    T_reference_level: Mapping[str, NDArray[np.float64]]


class Theatre:
    """One patient on a table under a C-arm. What is drawn depends on the seed and on the order of the calls alone.

    A pair that is taken right after a bend is what `radgs_core.xray.study.take_study` gives with the same seed, and so
    `radgs-reg simulate`; each further bend takes the next seed.

    Args:
        case: the patient.
        centred: levels that are at the isocentre while the table is at zero.
        carm: dimensions.
        physics: name, of tube and detector.
        seed: of the first motion and its noise, and of the physics.

    Raises:
        InputError: an unknown physics, or the rays of a view spread too far.
    """

    def __init__(self, case: Case, centred: Sequence[str], carm: CArm, physics: str, seed: int) -> None:
        self.carm = carm
        self._case = case
        self._physics = Physics.named(physics, np.random.default_rng([seed, 1]))
        self._T_table_ct = body_pose(case, centred)
        self._pair_at = JointPositions()
        self._pair = Simulator(case, self._geometry(self._pair_at), self._T_table_ct)
        self._next_seed = seed
        self._bent: Mapping[str, NDArray[np.float64]] = MappingProxyType({})
        self._seed = seed
        self._taken = 0

    @property
    def is_bent(self) -> bool:
        """Whether the spine has bent since the CT."""
        return bool(self._bent)

    def bend(self, motion_mm: float, motion_deg: float) -> None:
        """Move every level of the case anew (see `radgs_core.xray.motion.bend`)."""
        self._seed, self._next_seed = self._next_seed, self._next_seed + 1
        rng = np.random.default_rng([self._seed, 0])
        self._bent = bend(self._case, list(self._case.levels), motion_mm, motion_deg, rng)
        self._taken = 0

    def pair(self, positions: JointPositions, photons: float) -> Exposure:
        """Both X-rays of a biplanar system at once.

        Args:
            positions: of the first view; the second is 90 degrees farther along the C.
            photons: mean number of detected photons a pixel behind the patient.

        Raises:
            InputError: the rays of a view spread too far.
        """
        T_reference_ct = self._body(positions)
        if positions != self._pair_at:
            self._pair = self._pair.moved_to(self._geometry(positions), T_reference_ct)
            self._pair_at = positions
        T_reference_level = self._levels(T_reference_ct)
        images = self._pair.expose(T_reference_level, self._exposed_with(photons), self._noise())
        return Exposure(MappingProxyType(images), self._pair.geometry.views, T_reference_level)

    def single(self, view: str, positions: JointPositions, photons: float) -> Exposure:
        """One X-ray from where the C-arm is, taken for a view. Arguments and errors as of ``pair``."""
        T_reference_ct = self._body(positions)
        camera = self.carm.camera(positions.orbital_deg, positions.angular_deg, name=view)
        T_reference_level = self._levels(T_reference_ct)
        physics = self._exposed_with(photons)
        image = self._pair.shoot(camera, T_reference_ct, T_reference_level, physics, self._noise())
        return Exposure(MappingProxyType({view: image}), MappingProxyType({view: camera}), T_reference_level)

    def _geometry(self, positions: JointPositions) -> BiplanarGeometry:
        orbital, angular = positions.orbital_deg, positions.angular_deg
        return biplanar_geometry(self.carm, (orbital, angular), (orbital + LATERAL_DEG, angular))

    def _body(self, positions: JointPositions) -> NDArray[np.float64]:
        T_reference_ct = self._T_table_ct.copy()
        T_reference_ct[:3, 3] += positions.table_mm
        return T_reference_ct

    def _levels(self, T_reference_ct: NDArray[np.float64]) -> Mapping[str, NDArray[np.float64]]:
        still = dict.fromkeys(self._case.levels, np.eye(4))
        return MappingProxyType({level: T_reference_ct @ T for level, T in {**still, **self._bent}.items()})

    def _exposed_with(self, photons: float) -> Physics:
        return dataclasses.replace(self._physics, photons=photons)

    def _noise(self) -> np.random.Generator:
        """Of the next exposure; [seed, 0] and [seed, 1] draw motion and physics."""
        self._taken += 1
        return np.random.default_rng(self._seed if self._taken == 1 else [self._seed, self._taken])
