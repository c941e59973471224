"""P1 and P_full from cases to networks, as short as can be."""

import dataclasses
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from level_fixtures import SMALL, SMALL_REGM

from radgs_core.case import Case
from radgs_core.detection.triangulation import FirstPoses
from radgs_core.errors import InputError
from radgs_core.networks import LevelNetworks, Networks
from radgs_core.training import full_training, level_task, pair_scenes, prior_training, synergistic_task
from radgs_core.training.full_training import fully_trained
from radgs_core.training.prior_training import trained_prior
from radgs_core.training.xray_pairs import XrayPair, read_pair
from radgs_core.xray import CArm, Physics, biplanar_geometry, simulate_study, write_study

MINUTES = 0.05


def silent(fraction: float, message: str) -> None:
    """Progress that nobody watches."""


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (prior_training, full_training):
        monkeypatch.setattr(module, "POSITIONS", 2)
        monkeypatch.setattr(module, "BATCH", 1)
    monkeypatch.setattr(level_task, "VALIDATION_SCENES", 1)
    monkeypatch.setattr(synergistic_task, "VALIDATION_DRAWS", 1)
    monkeypatch.setattr(prior_training, "RECM_PRESETS", {"cpu": SMALL})
    monkeypatch.setattr(prior_training, "REGM_PRESETS", {"cpu": SMALL_REGM})


@pytest.fixture
def case(phantom_case: Case, untrained_networks: Callable[[Sequence[str]], Networks]) -> Case:
    inputs = {"inputs": {"ct": {"name": "ct", "sha256": "12ab"}, "labels": {"name": "labels", "sha256": "34cd"}}}
    return dataclasses.replace(phantom_case, provenance=inputs, networks=untrained_networks(["T12", "L1"]))


@pytest.fixture
def pair(phantom_case: Case, tmp_path: Path) -> XrayPair:
    geometry = biplanar_geometry(CArm(size=128, pixel_mm=2.0))
    study = simulate_study(phantom_case, ["T12", "L1"], geometry, Physics.plain(5000.0), 1.0, 1.0, seed=0)
    write_study(tmp_path / "study", study)
    (tmp_path / "study" / "truth.json").write_text("not looked at")
    return read_pair(tmp_path / "study")


@pytest.fixture
def finder(phantom_case: Case, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stands in for detection: gives the reasons in the list, one a pair, and where it is empty a pose."""
    from radgs_core.xray import body_pose

    reasons: list[str] = []
    pose = body_pose(phantom_case, ["T12", "L1"])

    class StandIn:
        def __init__(self, case: Case, networks: Networks) -> None:
            pass

        def find(self, observations: Sequence[object]) -> FirstPoses:
            return FirstPoses(pose, dict.fromkeys(("T12", "L1"), pose), {}, 1.0, reasons.pop(0))

    monkeypatch.setattr(pair_scenes, "Finder", StandIn)
    return reasons


def test_a_prior(case: Case, tmp_path: Path) -> None:
    trained = trained_prior([case, case], [case], MINUTES, tmp_path, silent, accelerator="cpu")
    assert trained.card.steps > 0 and trained.card.seeds == (0,)
    assert [source.sha256 for source in trained.card.data] == [("12ab", "34cd"), ("12ab", "34cd")]
    assert trained.card.data[0].description.endswith("cases: 2")
    assert not trained.networks.recm.training
    path = tmp_path / "prior.safetensors"
    trained.networks.save(path, trained.card)
    again = LevelNetworks.read(path)
    for name, tensor in trained.networks.recm.state_dict().items():
        assert torch.equal(again.recm.state_dict()[name], tensor)
    # the same training is finished; another one is refused
    steps = trained_prior([case, case], [case], MINUTES, tmp_path, silent, accelerator="cpu").card.steps
    assert steps == trained.card.steps
    with pytest.raises(InputError, match="was made with another"):
        trained_prior([case], [case], MINUTES, tmp_path, silent, accelerator="cpu")


def test_adaptation_to_pairs(
    case: Case, pair: XrayPair, finder: list[str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    finder += ["", "nothing was seen."]
    assert case.networks is not None
    before = {name: t.clone() for name, t in case.networks.per_level.recm.state_dict().items()}
    other = dataclasses.replace(pair, name="other study")
    with caplog.at_level(logging.WARNING):
        networks = fully_trained(case, [pair, other], MINUTES, tmp_path / "work", silent, accelerator="cpu")
    assert [r.getMessage() for r in caplog.records] == ["other study is left out: nothing was seen."]
    assert all(torch.equal(t, before[name]) for name, t in case.networks.per_level.recm.state_dict().items())
    assert networks.detection is case.networks.detection and tuple(networks.levels) == ("T12", "L1")
    card = networks.card
    assert card.data[-1].description.startswith("1 of 2 pairs") and card.data[-1].sha256 == (pair.sha256,) * 2
    assert card.steps > 0 and card.metrics["error, mm"] == 12.5
    assert {"real", "simulated_tre_mm"} <= set(
        (tmp_path / "work" / "curves.csv").read_text().replace("/", ",").split(",")
    )


def test_pairs_that_show_nothing_are_refused(case: Case, pair: XrayPair, finder: list[str], tmp_path: Path) -> None:
    finder += ["nothing was seen."]
    with pytest.raises(InputError, match="found in none of 1 pairs"):
        fully_trained(case, [pair], MINUTES, tmp_path, silent)
    with pytest.raises(InputError, match="has no networks"):
        fully_trained(dataclasses.replace(case, networks=None), [pair], MINUTES, tmp_path, silent)


def test_found_scenes(case: Case, pair: XrayPair, finder: list[str]) -> None:
    """Poses are those of RecM and RegM from where detection puts the levels."""
    finder += [""]
    assert case.networks is not None
    (scene,) = pair_scenes.found_scenes(case, case.networks, [pair], silent)
    assert [o.camera.name.split()[-1] for o in scene.observations] == ["ap", "lateral"]
    assert scene.T_reference_level.shape == (2, 4, 4) and scene.expected_body[0].line_integral.max() > 0.1
    moved = np.abs(scene.T_reference_level - scene.T_reference_body).max()
    assert 0 < moved < 30


def test_a_pair_is_read_without_truth(pair: XrayPair, tmp_path: Path) -> None:
    assert set(pair.images) == {"ap", "lateral"}
    (tmp_path / "study" / "ap.npy").write_bytes(b"")
    with pytest.raises(InputError, match=r"must hold one ap image .* has ap.npy, ap.png"):
        read_pair(tmp_path / "study")
    with pytest.raises(InputError, match="does not exist"):
        read_pair(tmp_path / "nothing")
    one, other = pair.images["ap"].copy(), pair.images["ap"].copy()
    other[0, 0] += 1
    digests = {dataclasses.replace(pair, images={**pair.images, "ap": image}).sha256 for image in (one, other)}
    assert len(digests) == 2 and pair.sha256 in digests
