"""Benchmarks are no part of any distribution: only the tree's root holds them."""

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def benchmarks_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parents[3])


@pytest.fixture
def cells_of() -> Callable[[str, str], list[str]]:
    """Finds, in a page, the row of a table that begins with a cell."""

    def found(page: str, first: str) -> list[str]:
        lines = [line for line in page.splitlines() if line.startswith("|")]
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
        (row,) = (row for row in rows if row[0] == first)
        return row

    return found
