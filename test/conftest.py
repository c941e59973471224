"""Networks small enough to be made in any test; and no test is heard on other machines."""

import os
from collections.abc import Callable, Sequence

import pytest

# for this process's ROS nodes and those of all that it starts: the number of a domain may be taken in the next room
os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"


@pytest.fixture(scope="session")
def untrained_networks() -> Callable[[Sequence[str]], object]:
    """``untrained_networks(["T12", "L1"])``: networks that could find these levels, if they had been trained."""
    import torch

    from radgs_core.detection.landmarks import LANDMARKS
    from radgs_core.detection.network import DetectionNetwork, DetectionSize
    from radgs_core.io.model_card import ModelCard, TrainingData
    from radgs_core.networks import LevelNetworks, Networks
    from radgs_core.reconstruction import CropSize, RecMPreset
    from radgs_core.registration.regm import RegMPreset

    def made(levels: Sequence[str]) -> Networks:
        torch.manual_seed(0)
        size = DetectionSize((4, 4, 4), 1)
        preset = RecMPreset(CropSize(32, 96.0), "ct", gaussians=1, channels=8, blocks=1, code=8, hidden=8)
        return Networks(
            tuple(levels),
            DetectionNetwork(len(levels) * len(LANDMARKS), size).eval(),
            LevelNetworks.new(preset, RegMPreset("points", width=8)),
            ModelCard(
                what=f"Untrained networks for {', '.join(levels)}",
                data=(TrainingData("nothing", ()),),
                seeds=(0,),
                steps=0,
                minutes=0.0,
                metrics={"error, mm": 12.5},
                code_version="0.1.0",
                created="2026-01-01",
                intended_use="Tests.",
                limits="They find nothing.",
            ),
        )

    return made
