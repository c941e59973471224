from collections.abc import Sequence
from pathlib import Path

import pytest
from level_fixtures import positions_of, sampler_of
from line_fit import SETTINGS, LineFit, silent

from radgs_core.case import Case
from radgs_core.training.level_batch import LevelSampler
from radgs_core.training.positions import Position
from radgs_core.training.trainer import train


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, LineFit]:
    """A folder and the task that was trained in it, without interruption."""
    folder, task = tmp_path_factory.mktemp("training"), LineFit(dropout=0.2)
    train(task, SETTINGS, folder, silent)
    return folder, task


@pytest.fixture(scope="session")
def positions(phantom_case: Case) -> Sequence[Position]:
    """Two positions around the phantom."""
    return positions_of(phantom_case)


@pytest.fixture(scope="session")
def sampler(phantom_case: Case, positions: Sequence[Position]) -> LevelSampler:
    """Levels of the phantom."""
    return sampler_of(phantom_case, positions)
