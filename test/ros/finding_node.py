"""A registration node whose detection finds every patient where the simulated operating room puts them."""

from collections.abc import Sequence

from radgs_core.case import Case
from radgs_core.detection.triangulation import FirstPoses
from radgs_core.registration import pipeline
from radgs_core.xray.carm import body_pose
from radgs_reg_ros.registration_node import RegistrationNode
from radgs_reg_ros.run_node import run_node


class Found:
    """In place of a trained `Finder`: the levels, as if the spine had not bent."""

    def __init__(self, case: Case, networks: object) -> None:
        levels = list(case.levels)
        pose = body_pose(case, levels)
        self._found = FirstPoses(pose, dict.fromkeys(levels, pose), {}, 1.0, "")

    def find(self, observations: Sequence[object]) -> FirstPoses:
        print("levels looked for", flush=True)
        return self._found


class NothingLearned:
    """In place of trained `LearnedRegistration`: leaves the poses where they are."""

    def __new__(cls, *arguments: object) -> None:
        return None


if __name__ == "__main__":
    pipeline.Finder = Found
    pipeline.LearnedRegistration = NothingLearned
    raise SystemExit(run_node(RegistrationNode))
