"""RecM and RegM on all levels of a pair of X-rays: poses closer to the truth than the expected ones."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from radgs_core.case import Case
from radgs_core.geometry.rigid import exp_se3, inverse
from radgs_core.networks import Networks
from radgs_core.radgs import RadiativeGaussians
from radgs_core.reconstruction.anchors import anchors_of, in_vertebra_frame, stacked
from radgs_core.reconstruction.crops import crop_levels
from radgs_core.reconstruction.places import places_mm
from radgs_core.reconstruction.recm import LevelInput
from radgs_core.registration.body import Body
from radgs_core.registration.expected_body import expected_body
from radgs_core.registration.scene import ScenePoses
from radgs_core.xray.observation import Observation

PASSES = 3
"""RecM and RegM look again from where they came to: crops and expectation are better then."""


@dataclass(frozen=True)
class Learned:
    """What RecM and RegM make of L levels.

    Attributes:
        T_reference_ct: (L, 4, 4) mm.
        deviation: (L, 6) standard deviation of the twist about each vertebra's origin in its own frame, mm and rad.
        reconstructions: of the last pass, by level, in the reference frame, mm.
        attention: (L, 2, K, h, w) maps of the last pass over the crops of both views, each adding up to 1.
    """

    T_reference_ct: NDArray[np.float64]
    deviation: NDArray[np.float64]
    reconstructions: Sequence[RadiativeGaussians]
    attention: torch.Tensor


class LearnedRegistration:
    """RecM and RegM of one patient.

    Args:
        case: the patient, with levels that the networks were trained for.
        networks: trained for this patient.
        body: the rest of the body.
    """

    def __init__(self, case: Case, networks: Networks, body: Body) -> None:
        vertebrae = list(case.levels.values())
        self._networks = networks.per_level
        self._body = body
        self._gaussians = [vertebra.gaussians for vertebra in vertebrae]
        self._T_ct_vertebra = np.stack([vertebra.T_ct_vertebra for vertebra in vertebrae])
        self._places_mm = np.stack([places_mm(vertebra) for vertebra in vertebrae])
        self._anchors = anchors_of(vertebrae, self._networks.recm.preset)
        self._vertebrae = stacked([in_vertebra_frame(vertebra) for vertebra in vertebrae])

    def register(self, observations: Sequence[Observation], start: ScenePoses) -> Learned:
        """Correct expected poses.

        Args:
            observations: AP and lateral.
            start: where body and levels are expected: off by a few millimetres and degrees.
        """
        recm, regm = self._networks.recm, self._networks.regm
        expected = [expected_body(self._body, observation.camera, start.body) for observation in observations]
        pose = start.levels
        with torch.inference_mode():
            for _ in range(PASSES):
                crops = crop_levels(
                    observations,
                    expected,
                    self._gaussians,
                    self._T_ct_vertebra,
                    self._places_mm,
                    pose,
                    recm.preset.crop,
                )
                found = recm(LevelInput.of(crops, self._anchors))
                motion = regm(found.gaussians, self._vertebrae, found.effect)
                frames = pose @ self._T_ct_vertebra
                pose = frames @ exp_se3(motion.twist.double()).numpy() @ inverse(self._T_ct_vertebra)
        reconstructions = [found.gaussians.of(level).moved(frame) for level, frame in enumerate(frames)]
        return Learned(pose, motion.deviation.double().numpy(), reconstructions, found.attention)
