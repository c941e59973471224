"""Networks are kept in the case folder."""

import dataclasses
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch

from radgs_core.case import Case
from radgs_core.case_folder import MANIFEST, NETWORKS
from radgs_core.errors import InputError
from radgs_core.io.sha256 import sha256_of
from radgs_core.networks import LevelNetworks, Networks


@pytest.fixture
def networks(untrained_networks: Callable[[Sequence[str]], Networks]) -> Networks:
    return untrained_networks(["T12", "L1"])


@pytest.fixture
def folder(phantom_case: Case, networks: Networks, tmp_path: Path) -> Path:
    dataclasses.replace(phantom_case, networks=networks).save(tmp_path / "case")
    return tmp_path / "case"


def modules(networks: Networks) -> list[torch.nn.Module]:
    return [networks.detection, networks.per_level.recm, networks.per_level.regm]


def test_round_trip(folder: Path, networks: Networks) -> None:
    read = Case.load(folder).networks
    assert read is not None
    assert tuple(read.levels) == ("T12", "L1") and read.card == networks.card
    assert read.per_level.configuration == networks.per_level.configuration
    for one, other in zip(modules(read), modules(networks), strict=True):
        assert not one.training
        for name, tensor in other.state_dict().items():
            assert torch.equal(one.state_dict()[name], tensor), name
    # RecM and RegM of a patient are a start for another training
    assert LevelNetworks.read(folder / NETWORKS).regm_preset == networks.per_level.regm_preset


def test_a_case_without_networks_has_none(phantom_case: Case, folder: Path) -> None:
    phantom_case.save(folder)
    assert not (folder / NETWORKS).exists() and Case.load(folder).networks is None


@pytest.mark.parametrize("position", [20, 5000, -1])
def test_damaged_networks_are_refused(folder: Path, position: int) -> None:
    path = folder / NETWORKS
    content = bytearray(path.read_bytes())
    content[position] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(InputError, match="was changed after"):
        Case.load(folder)
    # also where the manifest was changed with it
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["sha256"][NETWORKS] = sha256_of(path)
    (folder / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(InputError, match=r"networks.safetensors .*(damaged|changed|not written|readable)"):
        Case.load(folder)


def test_weights_alone_are_no_networks_of_a_patient(networks: Networks, tmp_path: Path) -> None:
    path = tmp_path / "prior.safetensors"
    networks.per_level.save(path, networks.card)
    with pytest.raises(InputError, match="does not say how its networks are built"):
        Networks.load(path)
