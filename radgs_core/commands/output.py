"""Results on stdout: JSON for machines, tables and lines for people."""

import json
import math
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

WIDTH_WITHOUT_TERMINAL = 150
"""Columns of a table that is redirected; rich would break it at 80."""


def print_json(content: Mapping[str, Any]) -> None:
    """Print strict JSON: numbers that JSON does not know become null."""
    print(json.dumps(_strict(content), indent=1, allow_nan=False))


def print_table(table: Table) -> None:
    """Print a table as wide as the terminal."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH_WITHOUT_TERMINAL)
    console.print(table)


def _strict(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _strict(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_strict(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
