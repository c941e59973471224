"""Matrices of numbers in YAML and JSON files."""

import numpy as np
from numpy.typing import NDArray

from radgs_core.errors import InputError


def number_matrix(value: object, shape: tuple[int, int], name: str) -> NDArray[np.float64]:
    """Read nested lists as a matrix.

    Stricter than ``np.array``, which also takes text, booleans and null for numbers.

    Args:
        value: what the parser returned.
        shape: rows and columns it must have.
        name: what the user calls this matrix, with its file.

    Raises:
        InputError: another shape, or an entry that is not a number.
    """
    rows, columns = shape
    if not isinstance(value, list) or len(value) != rows:
        raise InputError(f"{name} must be a list of {rows} rows of {columns} numbers.")
    for row in value:
        if not isinstance(row, list) or len(row) != columns:
            raise InputError(f"{name} must have {rows} rows of {columns} numbers, but one row is {row!r:.80}.")
        for entry in row:
            if isinstance(entry, bool) or not isinstance(entry, (int, float)):
                raise InputError(f"{name} holds {entry!r:.80}, which is not a number; write {rows}x{columns} numbers.")
    try:
        return np.array(value, dtype=np.float64)
    except OverflowError as error:
        raise InputError(f"{name} holds a number that is too large; write {rows}x{columns} finite numbers.") from error
