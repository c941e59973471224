"""The networks that come with the demo, and what is told of a level; the networks here are untrained stand-ins."""

import dataclasses
import re
from pathlib import Path

import pytest
from rich.console import Console
from small_case import LEVELS

from radgs_core.case import Case
from radgs_core.preparation import provenance
from radgs_core.registration.pipeline import InputError
from radgs_reg_ros.demo import make_weights
from radgs_reg_ros.demo.kept_case import is_prepared_from
from radgs_reg_ros.demo.make_weights import ship
from radgs_reg_ros.demo.outcome import LevelOutcome, outcome_table
from radgs_reg_ros.demo.shipped_networks import CARD, TRAINED_LEVELS, WEIGHTS, shipped_networks

ROOT = Path(__file__).parents[2]


def below(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*"))


def test_weights_are_shipped_with_their_card(untrained_networks, tmp_path):
    weights, card = tmp_path / "networks.safetensors", tmp_path / "networks.md"
    networks = untrained_networks(TRAINED_LEVELS)
    ship(networks, weights, card)
    assert shipped_networks(weights).levels == TRAINED_LEVELS
    assert card.read_text() == networks.card.to_markdown()
    assert below(tmp_path) == ["networks.md", "networks.safetensors"]


def test_what_is_too_large_for_a_clone_is_not_shipped(untrained_networks, tmp_path, monkeypatch):
    monkeypatch.setattr(make_weights, "LARGEST_BYTES", 1000)
    with pytest.raises(InputError, match="make them smaller"):
        ship(untrained_networks(TRAINED_LEVELS), tmp_path / "networks.safetensors", tmp_path / "networks.md")
    assert below(tmp_path) == []


def test_missing_weights_name_the_command_that_makes_them(tmp_path):
    with pytest.raises(InputError, match=r"networks.safetensors is missing; make it with `make demo-weights`"):
        shipped_networks(tmp_path / "networks.safetensors")
    assert re.search(r"^demo-weights:.*\n.*radgs_reg_ros\.demo\.make_weights", (ROOT / "Makefile").read_text(), re.M)


@pytest.mark.skipif(not WEIGHTS.exists(), reason="the networks of the demo have not been trained yet")
def test_the_weights_of_this_tree_fit_the_demo_and_a_clone():
    from radgs_reg_ros.demo.__main__ import LEVELS as SHOWN

    networks = shipped_networks()
    assert tuple(networks.levels) == TRAINED_LEVELS and set(SHOWN) <= set(networks.levels)
    assert WEIGHTS.stat().st_size <= make_weights.LARGEST_BYTES
    assert CARD.read_text() == networks.card.to_markdown()


def test_a_case_with_networks_put_in_is_used_again(case_folder, untrained_networks, tmp_path):
    inputs = {role: tmp_path / f"{role}.nii.gz" for role in ("ct", "labels")}
    for role, path in inputs.items():
        path.write_text(role)
    case = dataclasses.replace(Case.load(case_folder), provenance=provenance(inputs, {}))
    dataclasses.replace(case, networks=untrained_networks(["L1", "T12", "T11"])).save(tmp_path / "case")
    assert is_prepared_from(tmp_path / "case", inputs["ct"], inputs["labels"], LEVELS)


def test_the_table_has_errors_and_reasons():
    console = Console(width=100)
    with console.capture() as shown:
        console.print(
            outcome_table([LevelOutcome("T12", 0.314, ""), LevelOutcome("L1", None, "the images show nothing.")])
        )
    lines = shown.get().splitlines()
    assert any(re.search(r"T12.*0\.31.*registered", line) for line in lines)
    assert any(re.search(r"L1.*-.*rejected: the images show nothing\.", line) for line in lines)
