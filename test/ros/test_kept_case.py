"""When the demo prepares anew."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from small_case import LEVELS

from radgs_core.case import Case
from radgs_core.preparation import provenance
from radgs_reg_ros.demo.kept_case import is_prepared_from


@pytest.fixture
def inputs(tmp_path) -> dict[str, Path]:
    files = {role: tmp_path / f"{role}.nii.gz" for role in ("ct", "labels")}
    for role, path in files.items():
        path.write_text(role)
    return files


@pytest.fixture
def keep(case_folder, tmp_path):
    """Saves the small case as if it came from somewhere."""

    def save(origin: Mapping[str, Any]) -> Path:
        dataclasses.replace(Case.load(case_folder), provenance=origin).save(tmp_path / "case")
        return tmp_path / "case"

    return save


def test_a_case_is_used_again_until_something_changes(inputs, keep):
    folder = keep(provenance(inputs, {"levels": LEVELS, "label_scheme": "totalsegmentator"}))
    assert is_prepared_from(folder, inputs["ct"], inputs["labels"], LEVELS)
    assert not is_prepared_from(folder, inputs["ct"], inputs["labels"], LEVELS[:1])
    inputs["labels"].write_text("drawn better")
    assert not is_prepared_from(folder, inputs["ct"], inputs["labels"], LEVELS)


def test_a_case_of_other_versions_is_not_used_again(inputs, keep):
    origin = provenance(inputs, {})
    folder = keep({**origin, "versions": {**origin["versions"], "radgs-core": "0.0.1"}})
    assert not is_prepared_from(folder, inputs["ct"], inputs["labels"], LEVELS)


def test_what_is_no_case_is_not_used(inputs, tmp_path):
    assert not is_prepared_from(tmp_path / "nowhere", inputs["ct"], inputs["labels"], LEVELS)
