"""The made-up spine, and scenes with it."""

from collections.abc import Sequence

import pytest
from made_spine import Scene, made_case

from radgs_core.case import Case


@pytest.fixture(scope="session")
def spine() -> Case:
    """Five levels."""
    return made_case()


@pytest.fixture
def scenes(spine: Case) -> Sequence[Scene]:
    """A dozen operating rooms, the same in every test."""
    return [Scene(spine, seed) for seed in range(12)]
