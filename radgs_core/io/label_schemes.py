"""Which integer stands for which vertebra in a label map."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from radgs_core.errors import InputError
from radgs_core.io.yaml_file import read_yaml_mapping

LEVELS = (
    *(f"C{n}" for n in range(1, 8)),
    *(f"T{n}" for n in range(1, 14)),
    *(f"L{n}" for n in range(1, 7)),
    "S1",
)
"""Every vertebra's label, from head to foot."""

MAX_LABEL = 65535


@dataclass(frozen=True)
class LabelScheme:
    """A numbering of vertebrae.

    Attributes:
        name: what the user calls it.
        value_of_level: label of a vertebra (see ``LEVELS``) to its integer.
    """

    name: str
    value_of_level: Mapping[str, int]


TOTALSEGMENTATOR = LabelScheme(
    "totalsegmentator",
    MappingProxyType(
        {
            "S1": 26,
            **{f"L{n}": 32 - n for n in range(1, 6)},
            **{f"T{n}": 44 - n for n in range(1, 13)},
            **{f"C{n}": 51 - n for n in range(1, 8)},
        }
    ),
)
"""TotalSegmentator 2: S1 26, L5 27 .. L1 31, T12 32 .. T1 43, C7 44 .. C1 50; organs and other bones around them."""

VERSE = LabelScheme(
    "verse",
    MappingProxyType(
        {
            **{f"C{n}": n for n in range(1, 8)},
            **{f"T{n}": n + 7 for n in range(1, 13)},
            "T13": 28,
            **{f"L{n}": n + 19 for n in range(1, 7)},
            "S1": 26,
        }
    ),
)
"""VerSe: C1 1 .. C7 7, T1 8 .. T12 19, L1 20 .. L6 25, sacrum 26 (taken as S1), T13 28; 27 is the coccyx."""


def read_label_scheme(path: Path) -> LabelScheme:
    """Read a numbering from a YAML file with lines such as ``L1: 20``.

    Raises:
        InputError: not such a file, an unknown vertebra, a value that is no positive integer or is given twice.
    """
    level_of_value: dict[int, str] = {}
    for level, value in read_yaml_mapping(path).items():
        if level not in LEVELS:
            raise InputError(f"{path} has the unknown key {level!r}; known keys are C1..C7, T1..T13, L1..L6 and S1.")
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_LABEL:
            raise InputError(f"{path} gives {level} the value {value!r}; give it a whole number from 1 to {MAX_LABEL}.")
        if value in level_of_value:
            raise InputError(
                f"{path} gives {level_of_value[value]} and {level} the same value {value}; make them unique."
            )
        level_of_value[value] = level
    if not level_of_value:
        raise InputError(f"{path} names no vertebra; write lines such as 'L1: 20'.")
    return LabelScheme(str(path), MappingProxyType({level: value for value, level in level_of_value.items()}))
