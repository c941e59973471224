"""Where the levels are, from two X-rays and nothing else."""

from collections.abc import Sequence
from dataclasses import replace

from radgs_core.case import Case
from radgs_core.detection.detector import Detector
from radgs_core.detection.diagnosis import diagnose
from radgs_core.detection.triangulation import FirstPoses, first_poses
from radgs_core.networks import Networks
from radgs_core.xray.observation import Observation


class Finder:
    """Finds the levels of a patient.

    Args:
        case: the patient.
        networks: trained for this patient; they know all levels of the case.
    """

    def __init__(self, case: Case, networks: Networks) -> None:
        self._case = case
        self._detector = Detector(networks.detection, networks.levels, list(case.levels))

    def find(self, observations: Sequence[Observation]) -> FirstPoses:
        """First poses from AP and lateral X-rays, or the reason why there are none, as exactly as it can be told."""
        found = self._from(observations)
        if found.reason and (mistake := diagnose(observations, self._from)):
            return replace(found, reason=f"no start was found in the images, and {mistake}")
        return found

    def _from(self, observations: Sequence[Observation]) -> FirstPoses:
        cameras = [observation.camera for observation in observations]
        return first_poses(self._case, cameras, self._detector.detect(observations))
